// Which repositories are used: enabled= first, then --disablerepo, --enablerepo, --repo. Source: dnf(8).
import { KpmError } from '../../errors.ts';
import { glob } from '../repo/filter.ts';
import type { ConfigRequest, RepoConfig } from './types.ts';
import type { Remarks } from './written.ts';

/** Ids in one option may be parted by commas. */
function patterns(texts: readonly string[]): string[] {
  return texts.flatMap((text) => text.split(/[,\s]+/)).filter((text) => text !== '');
}

/**
 * Splits into used and unused. --disablerepo counts before --enablerepo, so that `--disablerepo='*' --enablerepo=x`
 * means x alone in any order. Raises `repo-unknown` when --repo or --enablerepo names nothing.
 */
export function selectRepos(
  repos: readonly RepoConfig[],
  fromCommandLine: ReadonlySet<string>,
  request: ConfigRequest,
  remarks: Remarks,
): { enabled: RepoConfig[]; disabled: RepoConfig[] } {
  const on = new Map(repos.map(({ id, enabled }) => [id, enabled]));
  const turn = (texts: readonly string[], option: string, state: boolean): void => {
    for (const pattern of patterns(texts)) {
      const fits = glob(pattern);
      const ids = [...on.keys()].filter(fits);
      for (const id of ids) on.set(id, state);
      if (ids.length > 0) continue;
      if (state) throw unknown(pattern, option, [...on.keys()]);
      remarks.notices.push({ code: 'repo-unknown', text: `--disablerepo=${pattern} names no configured repository.` });
    }
  };
  if (request.repo.length > 0) for (const id of on.keys()) on.set(id, false);
  turn(request.disablerepo, '--disablerepo', false);
  for (const id of fromCommandLine) on.set(id, true);
  turn(request.enablerepo, '--enablerepo', true);
  turn(request.repo, '--repo', true);
  const all = repos.map((repo) => ({ ...repo, enabled: on.get(repo.id) === true }));
  return { enabled: all.filter((repo) => repo.enabled), disabled: all.filter((repo) => !repo.enabled) };
}

function unknown(pattern: string, option: string, ids: readonly string[]): KpmError {
  const some = ids.slice(0, 12).join(', ');
  return new KpmError('repo-unknown', {
    text: `${option}=${pattern} names no configured repository.`,
    subject: pattern,
    hint:
      ids.length === 0
        ? 'No repositories are configured.'
        : `Configured are: ${some}${ids.length > 12 ? ', ...' : ''}.`,
  });
}
