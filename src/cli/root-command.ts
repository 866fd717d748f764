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
  return hint === null ? null : replaced(hint, /(?<![\w./-])kpatch-pm ([a-z][a-z-]*)\b(?! --help)/g, options);
}

/** A sentence with each command in it that it tells to type, behind a colon or quoted; others were typed, or are somebody's name. */
export function textForThisRoot(text: string, options: Options): string {
  return replaced(text, /(?<=: (?:sudo )?|`)kpatch-pm ([a-z][a-z-]*)\b(?! --help)/g, options);
}

function replaced(text: string, command: RegExp, options: Options): string {
  const root = typedRoot(options);
  if (root === null) return text;
  return text.replace(command, (all, verb: string) => (verbOf(verb) ? `kpatch-pm --installroot ${root} ${verb}` : all));
}

/** What holds reasons (`{ text: ... }`, wherever in it), with such texts. */
export function reasonsForThisRoot<T>(value: T, options: Options): T {
  if (typedRoot(options) === null || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => reasonsForThisRoot(one, options)) as T;
  const made = Object.entries(value).map(([key, inside]) => [
    key,
    key === 'text' && typeof inside === 'string'
      ? textForThisRoot(inside, options)
      : reasonsForThisRoot(inside, options),
  ]);
  return Object.fromEntries(made) as T;
}

/** The error with such a text and hint. */
export function errorForThisRoot(error: KpmError, options: Options): KpmError {
  const { code, message, subject, cause } = error;
  const text = textForThisRoot(message, options);
  const hint = hintForThisRoot(error.hint, options);
  if (hint === error.hint && text === message) return error;
  return new KpmError(code, { text, subject: subject ?? undefined, hint: hint ?? undefined, cause });
}

/** The same, for dnf and systemctl too: what is to be mended belongs to the root. */
export function mendingThisRoot(command: string, options: Options): string {
  const root = typedRoot(options);
  if (root === null) return command;
  return forThisRoot(command, options)
    .replace(/^dnf /, `dnf --installroot ${root} `)
    .replace(/^systemctl (\w+)(?: --now)? /, `systemctl --root ${root} $1 `);
}
