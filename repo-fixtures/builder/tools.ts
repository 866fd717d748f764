// Running the real tools of the distribution: fixed environment, and an error that shows what the tool said.
import { spawnSync } from 'node:child_process';
import { BUILD_TIME } from './time.ts';

export interface ToolOptions {
  readonly cwd?: string;
  readonly input?: Buffer | string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end and gives its stdout; raises an Error with its stderr when it fails. */
export function tool(program: string, args: readonly string[], options: ToolOptions = {}): Buffer {
  const done = spawnSync(program, args, {
    cwd: options.cwd ?? '/',
    input: options.input ?? '',
    maxBuffer: 1 << 30,
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C',
      TZ: 'UTC',
      HOME: '/nonexistent',
      SOURCE_DATE_EPOCH: String(BUILD_TIME),
      ...options.env,
    },
  });
  if (done.error) throw new Error(`${program} could not be started: ${done.error.message}`);
  if (done.status !== 0) {
    throw new Error(
      `${program} ${args.join(' ')}\nended with ${done.status ?? done.signal}:\n${done.stderr}${done.stdout}`,
    );
  }
  return done.stdout;
}

const PROGRAMS = ['rpmbuild', 'createrepo_c', 'gpg', 'gcc', 'ld', 'gzip', 'xz', 'zstd', 'bzip2', 'openssl'] as const;
/** Debian's packages that make the bytes: the programs above and the libraries that do the work inside rpm. */
const PACKAGES = [
  ...[
    'rpm',
    'librpmbuild9',
    'librpmsign9',
    'createrepo-c',
    'libcreaterepo-c0',
    'gnupg',
    'libgcrypt20',
    'gcc-12',
    'binutils',
  ],
  ...['gzip', 'xz-utils', 'zstd', 'bzip2', 'openssl', 'zlib1g', 'liblzma5', 'libzstd1', 'libbz2-1.0', 'sqlite3'],
] as const;

const firstLine = (text: string) => text.trim().split('\n')[0] ?? '';

/** Versions of everything that makes bytes: where these differ, the bytes may. `Debian:` names appear on Debian only. */
export function toolVersions(): Record<string, string> {
  const versions: Record<string, string> = {};
  const ask = (program: string, ...args: string[]) =>
    spawnSync(program, args, { encoding: 'utf8', input: '', env: { PATH: process.env.PATH, LC_ALL: 'C' } });
  for (const program of PROGRAMS) {
    const done = ask(program, program === 'openssl' ? 'version' : '--version');
    // bzip2 speaks on stderr.
    versions[program] = done.error ? 'absent' : firstLine(done.stdout || done.stderr).replace(/, Copyright.*/, '');
  }
  for (const name of PACKAGES) {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format
    const done = ask('dpkg-query', '-W', '-f', '${Version}', name);
    if (!done.error) versions[`Debian: ${name}`] = done.status === 0 ? done.stdout : 'absent';
  }
  return versions;
}
