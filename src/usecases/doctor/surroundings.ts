// What stands around the program: node, other programs, what its package places, and dnf's plug-ins.
import type { HostFacts } from '../../domain/host-facts.ts';
import type { Machine } from '../../host/machine.ts';
import type { Root } from '../../host/root.ts';
import type { Run } from '../../host/run.ts';
import { unitState } from '../../host/systemd.ts';
import type { Rpmdb } from '../../observe/system/rpmdb.ts';

/** What the process itself knows. */
export interface Process {
  readonly nodeVersion: string;
  readonly ownOpenssl: boolean;
}

/** `engines` of package.json says the same. */
export const NODE_RANGE = '>=20.19';

export async function nodeFacts({ nodeVersion, ownOpenssl }: Process): Promise<HostFacts['node']> {
  const { default: semver } = await import('semver');
  return { version: nodeVersion, needs: NODE_RANGE, meets: semver.satisfies(nodeVersion, NODE_RANGE), ownOpenssl };
}

const PROGRAMS = ['insmod', 'rmmod', 'rpm', 'xz', 'flock', 'chcon', 'restorecon'];

export const programs = (run: Run): HostFacts['programs'] =>
  Object.fromEntries(PROGRAMS.map((name) => [name, run.which(name) !== null]));

/** What the RPM puts in place, and whether an RPM did. */
export function placed({ root }: Machine, rpmdb: Rpmdb | null): HostFacts['placed'] {
  const known = rpmdb !== null && rpmdb.how !== 'none';
  const names = ['kpatch-pm', 'kpatch-pm-selfcontained'];
  return {
    command: root.stat('usr/bin/kpatch-pm')?.isFile() === true,
    kernelInstall: (root.stat('usr/lib/kernel/install.d/95-kpatch-pm.install')?.mode ?? 0) % 2 === 1,
    byRpm: known ? rpmdb.packages.some(({ nevra }) => names.includes(nevra.name)) : null,
    fapolicyd: unitState(root, 'fapolicyd.service') === 'enabled',
  };
}

/** Where dnf 4 and dnf 5 keep their plug-ins, by the packages that bring them. */
export function dnfFacts(root: Root): HostFacts['dnf'] {
  const plugins = ['usr/lib', 'usr/local/lib']
    .flatMap((place) =>
      root
        .list(place)
        .filter((name) => /^python3\.\d+$/.test(name))
        .map((name) => `${place}/${name}`),
    )
    .flatMap((place) => [`${place}/site-packages/dnf-plugins`, `${place}/dist-packages/dnf-plugins`]);
  const has = (plugin: string): boolean => plugins.some((place) => root.exists(`${place}/${plugin}`));
  const libraries = ['usr/lib64', 'usr/lib'].map((place) => `${place}/libdnf5/plugins`);
  return {
    four: {
      there: root.exists('usr/bin/dnf-3') || root.exists('usr/bin/dnf4'),
      acts: has('post-transaction-actions.py'),
    },
    five: {
      there: root.exists('usr/bin/dnf5'),
      acts: libraries.some((place) => root.exists(`${place}/actions.so`)),
    },
    kpatch: has('kpatch.py') || libraries.some((place) => root.exists(`${place}/kpatch.so`)),
  };
}
