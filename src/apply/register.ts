// Telling the rpm database what was installed or removed, so that `rpm -q`, scanners and dnf see it. Only the database
// changes (--justdb): no scriptlet and no trigger runs, and rpm itself decides whether it accepts the package.
// Source: rpm(8); fcntl locks in proc_locks(5).
import { formatNevra, type Nevra } from '../domain/nevra.ts';
import type { Machine } from '../host/machine.ts';
import { findRpmdb, rpmArguments } from '../host/rpmdb.ts';

type Surroundings = Pick<Machine, 'root' | 'host' | 'live' | 'run'>;

export type Registration =
  | { readonly registered: true; readonly changed: boolean }
  | { readonly registered: false; readonly why: string };

/** How long another rpm or dnf transaction is waited for. */
const LOCK_WAIT_MS = 60_000;
/** rpm is never killed while it may be writing: this only ends an rpm that hangs for good. */
const RPM_TIMEOUT_MS = 15 * 60_000;

const refused = (why: string): Registration => ({ registered: false, why });

/** Whether some process holds rpm's transaction lock. */
function rpmBusy(machine: Surroundings, place: string): boolean {
  const lock = machine.root.stat(`${place}/.rpm.lock`);
  const table = lock && machine.host.readText('proc/locks');
  return table?.split('\n').some((line) => /\bWRITE\b/.test(line) && line.includes(`:${lock?.ino} `)) ?? false;
}

/** Waits for rpm's lock before rpm is started, for an rpm that waits cannot be stopped at a safe moment. */
async function waitForRpm(machine: Surroundings, place: string, limit: number): Promise<boolean> {
  for (let waited = 0; rpmBusy(machine, place); waited += 250) {
    if (waited >= limit) return false;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return true;
}

/** Waits until no transaction of rpm or dnf is running; false when one still is after `limit` milliseconds. */
export async function rpmIsFree(machine: Surroundings, limit: number): Promise<boolean> {
  const place = findRpmdb(machine.root);
  return place === null || waitForRpm(machine, place, limit);
}

const isNoise = (line: string): boolean => line === '' || /^(warning:|rpm: (RPM should not|However))/.test(line);

function words(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !isNoise(line));
  return lines.join(' ').slice(0, 500) || 'rpm gave no reason';
}

const keyOf = (nevra: Nevra): string => [nevra.name, nevra.epoch, nevra.version, nevra.release, nevra.arch].join('\t');

/** Which of the packages the database has; asked in one start of rpm. */
async function registeredOf(machine: Surroundings, database: string[], nevras: readonly Nevra[]): Promise<Set<string>> {
  const format = '%{NAME}\\t%|EPOCH?{%{EPOCH}}:{0}|\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\n';
  const names = new Set(nevras.map(({ name }) => name));
  const { stdout } = await machine.run.run('rpm', [...database, '-q', '--qf', format, ...names]);
  const lines = new Set(stdout.toString('utf8').split('\n'));
  return new Set(nevras.map(keyOf).filter((key) => lines.has(key)));
}

async function isRegistered(machine: Surroundings, database: string[], nevra: Nevra): Promise<boolean> {
  return (await registeredOf(machine, database, [nevra])).size === 1;
}

type Ready = { readonly database: string[] } | { readonly why: string };

async function ready(machine: Surroundings, wait: number): Promise<Ready> {
  const place = findRpmdb(machine.root);
  if (place === null) return { why: 'this root has no rpm database' };
  if (machine.run.which('rpm') === null) return { why: 'the program rpm is not installed' };
  if (!(await waitForRpm(machine, place, wait))) {
    return { why: `another rpm or dnf transaction held the rpm database for ${wait / 1000} s` };
  }
  return { database: rpmArguments(machine.root, place) };
}

function change(machine: Surroundings): string[] {
  // Plug-ins of the host (audit, inhibitors) have no business in another root.
  return ['--justdb', '--noscripts', '--notriggers', ...(machine.live ? [] : ['--noplugins'])];
}

/** A package to register: its file below the root; null: there is none. */
export interface ToRegister {
  readonly nevra: Nevra;
  readonly file: string | null;
}

export interface RegisterOptions {
  /** rpm may put an older version in the place of a newer one. */
  readonly downgrade: boolean;
  /** How long another transaction of rpm is waited for, milliseconds. */
  readonly wait?: number;
}

/** Adds one package: as registerAll. */
export async function register(
  machine: Surroundings,
  nevra: Nevra,
  file: string | null,
  options: RegisterOptions,
): Promise<Registration> {
  const [answer] = await registerAll(machine, [{ nevra, file }], options);
  return answer ?? refused('rpm was not asked');
}

/**
 * Adds packages to the rpm database, each in place of an older one of its name, in one transaction of rpm. Where rpm
 * refuses them together it is asked for each alone, so that one does not keep the others out. Gives an answer for each, in
 * their order. Done again it changes nothing. A refusal (no kpatch installed, read-only database ...) is an answer, not an error.
 */
export async function registerAll(
  machine: Surroundings,
  packages: readonly ToRegister[],
  options: RegisterOptions,
): Promise<Registration[]> {
  const rpm = await ready(machine, options.wait ?? LOCK_WAIT_MS);
  if ('why' in rpm) return packages.map(() => refused(rpm.why));
  const { database } = rpm;
  const before = await registeredOf(
    machine,
    database,
    packages.map(({ nevra }) => nevra),
  );
  const missing = packages.filter(({ nevra }) => !before.has(keyOf(nevra)));
  const told = await tell(machine, database, missing, options);
  return packages.map(({ nevra }) => told.get(keyOf(nevra)) ?? { registered: true, changed: false });
}

/** Tells rpm of packages it does not know yet; gives its answers by keyOf. */
async function tell(
  machine: Surroundings,
  database: string[],
  packages: readonly ToRegister[],
  options: RegisterOptions,
): Promise<Map<string, Registration>> {
  const answers = new Map<string, Registration>();
  const paths = packages.flatMap(({ nevra, file }) => {
    const path = file === null ? null : machine.root.realPath(file);
    if (path === null) answers.set(keyOf(nevra), refused('the package file is no longer there'));
    return path ?? [];
  });
  const asked = packages.filter(({ nevra }) => !answers.has(keyOf(nevra)));
  if (asked.length === 0) return answers;
  const older = options.downgrade ? ['--oldpackage'] : [];
  const args = [...database, '-U', ...change(machine), ...older, '--ignoresize', '--ignorearch', ...paths];
  const { status, stderr } = await machine.run.run('rpm', args, { timeout: RPM_TIMEOUT_MS });
  // rpm may end with 0 although it could not write: what the database says afterwards counts.
  const after = await registeredOf(
    machine,
    database,
    asked.map(({ nevra }) => nevra),
  );
  for (const one of asked) {
    const key = keyOf(one.nevra);
    if (after.has(key) && (status === 0 || asked.length > 1)) answers.set(key, { registered: true, changed: true });
    else if (asked.length === 1) answers.set(key, refused(words(stderr)));
    else for (const [name, answer] of await tell(machine, database, [one], options)) answers.set(name, answer);
  }
  return answers;
}

/** Takes a package out of the rpm database. Done again it changes nothing. */
export async function unregister(
  machine: Surroundings,
  nevra: Nevra,
  options: { readonly wait?: number } = {},
): Promise<{ readonly gone: true; readonly changed: boolean } | { readonly gone: false; readonly why: string }> {
  if (findRpmdb(machine.root) === null) return { gone: true, changed: false };
  const rpm = await ready(machine, options.wait ?? LOCK_WAIT_MS);
  if ('why' in rpm) return { gone: false, why: rpm.why };
  if (!(await isRegistered(machine, rpm.database, nevra))) return { gone: true, changed: false };
  const args = [...rpm.database, '-e', ...change(machine), formatNevra(nevra)];
  const { status, stderr } = await machine.run.run('rpm', args, { timeout: RPM_TIMEOUT_MS });
  const still = await isRegistered(machine, rpm.database, nevra);
  return status === 0 && !still ? { gone: true, changed: true } : { gone: false, why: words(stderr) };
}
