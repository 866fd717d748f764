// The programs that the RPM puts on the path. Shell scripts that end in `exec`: one process, which a signal reaches at once.
import { AT_START, LATER } from '../../src/cli/environment.ts';

/** Where the RPM keeps the bundle, and the node of the self-contained variant. */
export const BUNDLE = '/usr/lib/kpatch-pm/kpatch-pm.cjs';
export const COMPILE = '/usr/lib/kpatch-pm/compile.cjs';
export const OWN_NODE = '/usr/libexec/kpatch-pm/node';

/**
 * The names distributions give to node, the newest first: where several versions can be installed side by side, the plain
 * name may be an older one than the package requires. Fixed places: PATH is the caller's.
 */
export const SYSTEM_NODES = ['/usr/bin/node-24', '/usr/bin/node-22', '/usr/bin/node-20', '/usr/bin/node'];

// -p: bash, as sh, otherwise takes functions and options from the environment.
const START = '#!/bin/sh -p\n';

/** Starts a script on the first of these nodes, without what node would take from the caller. */
function start(what: string, script: string, nodes: readonly string[], missing: string): string {
  return `${START}# ${what} without what node, V8 and OpenSSL would take from the environment of whoever calls it.
unset ${[...AT_START, ...LATER].join(' ')}
for node in ${nodes.join(' ')}; do
    [ -x "$node" ] && exec "$node" ${script} "$@"
done
echo "Error: ${missing}" >&2
exit 1
`;
}

/** /usr/bin/kpatch-pm. */
export const launcher = (nodes: readonly string[], missing: string): string =>
  start('Starts kpatch-pm', BUNDLE, nodes, missing);

/** /usr/libexec/kpatch-pm/compile: has V8 compile the program for the node that will run it. */
export const compiler = (nodes: readonly string[], missing: string): string =>
  start('Compiles the program for its node (docs/performance.md)', COMPILE, nodes, missing);

/**
 * The kpatch utility's name, for its commands. It waits for another run of ours: it is called by scriptlets of packages and
 * by units, which do not try again.
 */
export const kpatchCommand =
  (): string => `${START}# The commands of the kpatch utility, by kpatch-pm: docs/decisions/packages.md
exec /usr/bin/kpatch-pm --lock-timeout 300 module "$@"
`;
