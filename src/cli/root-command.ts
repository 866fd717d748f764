// Commands that are shown to be typed next, as they must be typed for the root that was asked about.
import type { Options } from './options.ts';

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

/** The same, for dnf and systemctl too: what is to be mended belongs to the root. */
export function mendingThisRoot(command: string, options: Options): string {
  const root = typedRoot(options);
  if (root === null) return command;
  return forThisRoot(command, options)
    .replace(/^dnf /, `dnf --installroot ${root} `)
    .replace(/^systemctl (\w+)(?: --now)? /, `systemctl --root ${root} $1 `);
}
