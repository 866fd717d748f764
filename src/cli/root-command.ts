// Commands that are shown to be typed next, as they must be typed for the root that was asked about.
import type { Options } from './options.ts';

/** The command with `--installroot` where that was given. Commands of other programs stay as they are. */
export function forThisRoot(command: string, options: Options): string {
  const root = options.value('installroot');
  if (root === null) return command;
  const quoted = /^[\w./+:@%-]+$/.test(root) ? root : `'${root.replaceAll("'", "'\\''")}'`;
  return command.replace(/^(sudo )?kpatch-pm /, (_, sudo = '') => `${sudo}kpatch-pm --installroot ${quoted} `);
}
