// A small real system in a directory: a shell, a few programs, node if wanted, and packages by real rpm whose scriptlets run
// in there. systemctl is a script that keeps what it was told.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { buildRpm } from './build-rpm.ts';
import { needsThat } from './programs.ts';
import { top } from './top.ts';

export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

const ran = ({ status, stdout, stderr }: { status: number | null; stdout: string; stderr: string }): Ran => ({
  status,
  out: stdout,
  err: stderr,
});

export class RpmRoot {
  readonly path: string;

  constructor(directory: string) {
    this.path = directory;
    // The shell of el8 and later is bash; dash is what this machine has, and both know -p.
    this.#program('/bin/dash', 'bin/sh');
    copyFileSync('/bin/busybox', this.#place('bin/busybox'));
    for (const name of ['rm', 'cat', 'env', 'test']) symlinkSync('busybox', path.join(directory, 'bin', name));
    this.write('usr/bin/systemctl', '#!/bin/sh\necho "$@" >>/systemctl.log\n', 0o755);
    mkdirSync(path.join(directory, 'tmp'));
    // An ordinary file will do where scriptlets throw something away; devices may not be made everywhere.
    this.write('dev/null', '', 0o666);
  }

  /** The libraries that a program of this machine needs. */
  addLibraries(program: string): void {
    const needed = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout.matchAll(/(\/\S+) \(0x/g);
    for (const [, library] of needed) copyFileSync(realpathSync(library as string), this.#place(library as string));
  }

  /** A program of this machine, with its libraries. */
  #program(from: string, to: string): void {
    this.addLibraries(from);
    const place = this.#place(to);
    try {
      linkSync(realpathSync(from), place);
    } catch {
      // Another file system.
      copyFileSync(realpathSync(from), place);
    }
  }

  /** The node that runs this test, as a distribution would place it. */
  addNode(): void {
    this.#program(process.execPath, 'usr/bin/node');
  }

  #place(relative: string): string {
    const place = path.join(this.path, relative);
    mkdirSync(path.dirname(place), { recursive: true });
    return place;
  }

  write(relative: string, text: string, mode = 0o644): void {
    writeFileSync(this.#place(relative), text, { mode });
  }

  read(relative: string): string | null {
    const place = path.join(this.path, relative);
    return existsSync(place) ? readFileSync(place, 'utf8') : null;
  }

  rpm(...args: string[]): Ran {
    const answer = ran(spawnSync('rpm', ['--root', this.path, ...args], { encoding: 'utf8' }));
    // Debian's rpm warns of itself.
    return { ...answer, err: answer.err.replace(/^rpm: (?:RPM should not|However).*\n/gm, '') };
  }

  /** Runs a program inside, as root, with only this environment. */
  run(command: readonly string[], env: Record<string, string> = {}): Ran {
    return ran(spawnSync('/usr/sbin/chroot', [this.path, ...command], { encoding: 'utf8', env }));
  }
}

/** Builds our RPMs from this checkout, as `npm run rpm` does; gives the path of the first. */
export function buildOurRpm(destination: string, ...more: string[]): string {
  const args = ['packaging/run-ts.mjs', 'packaging/rpm/build.ts', ...more, destination];
  return execFileSync(process.execPath, args, { cwd: top, encoding: 'utf8' }).trim();
}

/** An empty package that only declares. */
export async function declaring(name: string, lines: readonly string[]): Promise<{ file: string; remove(): void }> {
  return buildRpm(
    `Name: ${name}\nSummary: Declares\nLicense: MIT\nBuildArch: noarch\n${lines.join('\n')}\n%description\nDeclares.\n%files\n`,
  );
}

/** `describe` where tests can change their root: only root may, and some containers forbid it. */
export function needsChroot(): ReturnType<typeof needsThat> {
  const { status } = spawnSync('/usr/sbin/chroot', ['/', '/bin/true'], { stdio: 'ignore' });
  return needsThat(status === 0, 'chroot (run the tests as root)');
}
