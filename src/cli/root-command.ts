// Commands that are shown to be typed next, as they must be typed for the root that was asked about.
import { KpmError } from '../errors.ts';
import type { Options } from './options.ts';
import { verbOf } from './verbs.ts';

/** The root as it is typed; null where none was given. */
function typedRoot(options: Options): string | null {
  const root = options.value('installroot');
  if (root === null) return null;
  return /^[\w./+:@%-]+$/.test(root) ? root : `'${root.replaceAll("'", "'\\''")}'`;
}

/** The command with `--installroot` where that was given. Commands of other programs stay as they are. */
export function forThisRoot(command: string, options: Options): string {
  const root = typedRoot(options);
  if (root === null) return command;
  return command.replace(/^(sudo )?kpatch-pm /, (_, sudo = '') => `${sudo}kpatch-pm --installroot ${root} `);
}

/** A hint with each command in it as it must be typed for the root: without, it would change the running system. */
export function hintForThisRoot(hint: string | null, options: Options): string | null {
  const root = typedRoot(options);
  if (root === null || hint === null) return hint;
  return hint.replace(/(?<![\w./-])kpatch-pm ([a-z][a-z-]*)\b(?! --help)/g, (all, verb: string) =>
    verbOf(verb) ? `kpatch-pm --installroot ${root} ${verb}` : all,
  );
}

/** The error with such a hint. */
export function errorForThisRoot(error: KpmError, options: Options): KpmError {
  const { code, message: text, subject, cause } = error;
  const hint = hintForThisRoot(error.hint, options);
  if (hint === null || hint === error.hint) return error;
  return new KpmError(code, { text, subject: subject ?? undefined, hint, cause });
}

/** The same, for dnf and systemctl too: what is to be mended belongs to the root. */
export function mendingThisRoot(command: string, options: Options): string {
  const root = typedRoot(options);
  if (root === null) return command;
  return forThisRoot(command, options)
    .replace(/^dnf /, `dnf --installroot ${root} `)
    .replace(/^systemctl (\w+)(?: --now)? /, `systemctl --root ${root} $1 `);
}
