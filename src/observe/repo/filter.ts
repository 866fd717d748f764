// excludepkgs and includepkgs as dnf matches them: they hide what is on offer, never what is installed.
import type { Nevra } from '../../domain/nevra.ts';
import { compile } from '../../domain/pattern.ts';

export { compile, FORMS, glob, type Matcher } from '../../domain/pattern.ts';

export interface PackageRules {
  readonly id: string;
  readonly excludepkgs: readonly string[];
  readonly includepkgs: readonly string[];
}

/**
 * Tells for each offered package which rule of its repository hides it: the text of the rule, or null.
 * Includes never bring back what is excluded (dnf.conf(5)).
 */
export function hiddenBy(rules: PackageRules): (nevra: Nevra) => string | null {
  const excludes = rules.excludepkgs.map((pattern) => ({ pattern, matches: compile(pattern) }));
  const includes = rules.includepkgs.map(compile);
  return (nevra) => {
    const exclude = excludes.find(({ matches }) => matches(nevra));
    if (exclude) return `excludepkgs=${exclude.pattern} (repository ${rules.id})`;
    if (includes.length > 0 && !includes.some((matches) => matches(nevra))) {
      return `not in includepkgs=${rules.includepkgs.join(',')} (repository ${rules.id})`;
    }
    return null;
  };
}
