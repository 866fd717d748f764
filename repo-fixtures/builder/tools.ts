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

const VERSION_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  rpmbuild: ['--version'],
  createrepo_c: ['--version'],
  gpg: ['--version'],
  gcc: ['--version'],
  ld: ['--version'],
  gzip: ['--version'],
  xz: ['--version'],
  zstd: ['--version'],
  bzip2: ['--version'],
  openssl: ['version'],
};

/** First line of what each tool says about its version: bytes may differ where these differ. */
export function toolVersions(): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const [program, args] of Object.entries(VERSION_COMMANDS)) {
    const done = spawnSync(program, args, {
      encoding: 'utf8',
      input: '',
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    });
    // bzip2 prints its version on stderr.
    const text = `${done.stdout ?? ''}`.trim() || `${done.stderr ?? ''}`.trim();
    versions[program] = done.error ? 'absent' : (text.split('\n')[0] ?? '').replace(/, Copyright.*|\. {2}Run.*/, '');
  }
  return versions;
}
