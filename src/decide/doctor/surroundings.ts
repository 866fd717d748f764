// What surrounds kpatch-pm: node, programs, the kernel, hooks, dnf, other services, SELinux, the clock.
import { fault, type Judgement, note, ok, type Sight, warning } from './finding.ts';

export function node({ host: { node: found } }: Sight): Judgement[] {
  const { version, needs, meets } = found;
  return [
    meets
      ? ok(`${version} (needs ${needs})`)
      : fault(`${version} is not ${needs}: docs/install.md names the streams`, null),
  ];
}

export function fips({ host }: Sight): Judgement[] {
  if (!host.fips) return [];
  return host.node.ownOpenssl
    ? [
        fault(
          'the system is in FIPS mode and this node brings its own OpenSSL: everything but doctor refuses to work',
          'dnf swap kpatch-pm-selfcontained kpatch-pm',
        ),
      ]
    : [ok("FIPS mode, with the system's OpenSSL")];
}

/** What each program is for, and the package that brings it. */
const PROGRAMS: readonly {
  readonly name: string;
  readonly from: string;
  readonly judge: typeof fault;
  readonly cost: string;
}[] = [
  { name: 'insmod', from: 'kmod', judge: fault, cost: 'nothing can be loaded' },
  { name: 'rmmod', from: 'kmod', judge: fault, cost: 'a refused level cannot be taken back' },
  {
    name: 'rpm',
    from: 'rpm',
    judge: warning,
    cost: 'keys of the rpm database are not seen, packages are not registered',
  },
  { name: 'xz', from: 'xz', judge: warning, cost: 'live patches of el8 and older cannot be unpacked' },
  { name: 'flock', from: 'util-linux', judge: warning, cost: 'the lock is kept in a slower way' },
];

export function programs({ host }: Sight): Judgement[] {
  const missing = PROGRAMS.filter(({ name }) => host.programs[name] === false);
  if (missing.length === 0) return [ok(PROGRAMS.map(({ name }) => name).join(', '))];
  return missing.map(({ name, from, judge, cost }) => judge(`${name} is missing: ${cost}`, `dnf install ${from}`));
}

const WITH_STREAMS = ['x86_64', 'ppc64le'];

export function architecture({ host }: Sight): Judgement[] {
  if (WITH_STREAMS.includes(host.arch)) return [];
  return [note(`${host.arch}: the vendor offers live patches for ${WITH_STREAMS.join(' and ')} only`)];
}

export function kernel({ host }: Sight): Judgement[] {
  if (host.kernel === null) return [];
  const { livepatch, signedOnly, switchedOff } = host.kernel;
  const found: Judgement[] = [];
  if (!livepatch) found.push(fault('the running kernel cannot be live-patched (no /sys/kernel/livepatch)', null));
  if (switchedOff !== null) {
    const arg = `grubby --update-kernel=ALL --remove-args=${switchedOff}`;
    found.push(fault(`${switchedOff} on the kernel command line switches loading off`, arg));
  }
  if (signedOnly !== null) found.push(note(`takes modules only that its own keys signed (${signedOnly})`));
  return found.length > 0 ? found : [ok('can be live-patched')];
}

export function services({ host }: Sight): Judgement[] {
  return host.otherServices.map((unit) =>
    warning(
      `${unit} patches the running kernel too: two that do not know of each other`,
      `systemctl disable --now ${unit}`,
    ),
  );
}

export function hooks({ host: { placed } }: Sight): Judgement[] {
  const found: Judgement[] = [];
  const rpm = 'install the RPM of kpatch-pm (docs/install.md)';
  if (!placed.command) found.push(warning(`there is no /usr/bin/kpatch-pm, which units and hooks call: ${rpm}`, null));
  if (!placed.kernelInstall) {
    found.push(warning(`kernel-install does not tell of new kernels: ${rpm}`, null));
  }
  if (placed.fapolicyd && placed.byRpm === false) {
    found.push(fault(`fapolicyd lets run only what an rpm brought, and none brought kpatch-pm: ${rpm}`, null));
  }
  return found.length > 0 ? found : [ok('/usr/bin/kpatch-pm and the plug-in of kernel-install are in place')];
}

export function dnf({ host, world }: Sight): Judgement[] {
  const { four, five, kpatch } = host.dnf;
  const found: Judgement[] = [];
  const late = 'does not wait for the live patches of a kernel that it installs';
  if (four.there && !five.there && !four.acts) {
    found.push(note(`dnf ${late}`, 'dnf install python3-dnf-plugin-post-transaction-actions'));
  }
  if (five.there && !five.acts) found.push(note(`dnf5 ${late}`, 'dnf install libdnf5-plugin-actions'));
  if (world?.settings.autofilter && (four.there || five.there) && !kpatch) {
    found.push(warning('autofilter is on, and only the plug-in of kpatch-dnf obeys it', 'dnf install kpatch-dnf'));
  }
  if (found.length > 0) return found;
  return four.there || five.there ? [ok('waits for the live patches of new kernels')] : [];
}

export function selinux({ host }: Sight): Judgement[] {
  if (host.selinux === 'off') return [];
  const missing = ['chcon', 'restorecon'].filter((name) => host.programs[name] === false);
  if (missing.length === 0) return [ok(host.selinux)];
  const judge = host.selinux === 'enforcing' ? fault : warning;
  const from = missing.includes('restorecon') ? 'policycoreutils' : 'coreutils';
  return [
    judge(`${missing.join(' and ')} missing: modules get no label the kernel may be fed from`, `dnf install ${from}`),
  ];
}

/** Milliseconds: clocks that are set by the network step by less. */
const SLACK = 300_000;

/** Keys and metadata are judged by the clock: one that runs behind accepts what has expired and refuses what is new. */
export function clock({ host, world }: Sight): Judgement[] {
  if (world === null) return [];
  const now = Date.parse(world.time);
  const future = world.repositories.find(({ fetched }) => fetched !== null && Date.parse(fetched) > now + SLACK);
  const behind =
    host.kernelBuilt !== null && now < Date.parse(host.kernelBuilt)
      ? `the running kernel was built on ${host.kernelBuilt.slice(0, 10)}`
      : future && `the metadata of ${future.id} was fetched on ${future.fetched?.slice(0, 10)}`;
  if (!behind) return [];
  const text = `the clock says ${world.time.slice(0, 10)}, but ${behind}: keys and metadata are judged wrongly`;
  return [fault(text, 'chronyc makestep')];
}
