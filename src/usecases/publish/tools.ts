// The real tools: rpmbuild, rpmsign, createrepo_c and modifyrepo_c do what they are for. What is missing is named before
// anything is begun.
import { KpmError } from '../../errors.ts';
import type { Machine } from '../../host/machine.ts';
import { signersEnvironment } from '../gpg.ts';

/** Where distributions have them: the packages of the RHEL family. */
const PACKAGES: Readonly<Record<string, string>> = {
  rpmbuild: 'rpm-build',
  rpmsign: 'rpm-sign',
  createrepo_c: 'createrepo_c',
  modifyrepo_c: 'createrepo_c',
  gpg: 'gnupg2',
  openssl: 'openssl',
  flock: 'util-linux',
};

type Tools = Pick<Machine, 'run' | 'env'>;

/** Raises `program-missing` for the first that is not installed, with all that are in its hint. */
export function needPrograms({ run }: Tools, programs: readonly string[]): void {
  const missing = programs.filter((program) => run.which(program) === null);
  const [first] = missing;
  if (first === undefined) return;
  const packages = [...new Set(missing.map((program) => PACKAGES[program] ?? program))];
  throw new KpmError('program-missing', {
    text: `To publish, ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} needed and not installed.`,
    subject: first,
    hint: `Run: sudo dnf install ${packages.join(' ')}   (on Debian: rpm, createrepo-c, gpg, openssl)`,
  });
}

/** A person may have to type a passphrase; a module of some MB takes a moment to be packed. */
const PATIENCE = 10 * 60_000;

/** Runs one of them with the keyring of the caller. Raises `publish-failed` with what the program said. */
export async function tool(
  machine: Tools,
  program: string,
  args: readonly string[],
  more: { readonly env?: Readonly<Record<string, string>>; readonly input?: Buffer } = {},
): Promise<Buffer> {
  const env = { ...signersEnvironment(machine), ...more.env };
  const { input } = more;
  const done = await machine.run.run(program, args, { env, timeout: PATIENCE, ...(input ? { input } : {}) });
  if (done.status === 0) return done.stdout;
  const said = `${done.stderr}\n${done.stdout.toString('utf8')}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const telling = said.find((line) => /\berror\b/i.test(line)) ?? said[0] ?? 'it says nothing';
  throw new KpmError('publish-failed', {
    text: `${program} failed (${done.signal ?? `status ${done.status}`}): ${telling.slice(0, 500)}`,
    subject: program,
    hint: 'Nothing was published. All that it said is shown with -v.',
    cause: new Error(said.join('\n')),
  });
}
