// The programs that the RPM puts on the path. Shell scripts that end in `exec`: one process, which a signal reaches at once.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { AT_START, LATER } from '../../src/cli/environment.ts';
import { top } from '../../test/support/top.ts';

/** Where the RPM keeps the bundle, and the node of the self-contained variant. */
export const BUNDLE = '/usr/lib/kpatch-pm/kpatch-pm.cjs';
export const OWN_NODE = '/usr/libexec/kpatch-pm/node';

/**
 * The names distributions give to node, the newest first: where several versions can be installed side by side, the plain
 * name may be an older one than the package requires. Fixed places: PATH is the caller's.
 */
export const SYSTEM_NODES = ['/usr/bin/node-24', '/usr/bin/node-22', '/usr/bin/node-20', '/usr/bin/node'];

// -p: bash, as sh, otherwise takes functions and options from the environment.
const START = '#!/bin/sh -p\n';

/** /usr/bin/kpatch-pm: starts the bundle on the first of these nodes, without what node would take from the caller. */
export function launcher(nodes: readonly string[], missing: string): string {
  return `${START}# Starts kpatch-pm without what node, V8 and OpenSSL would take from the environment of whoever calls it.
unset ${[...AT_START, ...LATER].join(' ')}
for node in ${nodes.join(' ')}; do
    [ -x "$node" ] && exec "$node" ${BUNDLE} "$@"
done
echo "Error: ${missing}" >&2
exit 1
`;
}

/**
 * The kpatch utility's name, for its commands. It waits for another run of ours: it is called by scriptlets of packages and
 * by units, which do not try again.
 */
export function kpatchCommand(): string {
  return `${START}# The commands of the kpatch utility, by kpatch-pm: docs/decisions/packages.md
exec /usr/bin/kpatch-pm --lock-timeout 300 module "$@"
`;
}
