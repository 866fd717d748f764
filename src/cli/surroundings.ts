// What the program stands in: gathered by bin.ts from the real machine, by tests from temporary directories.
import { KpmError } from '../errors.ts';
import type { Machine } from '../host/machine.ts';
import { Root } from '../host/root.ts';
import type { Run } from '../host/run.ts';
import type { Source } from './answer.ts';
import { usageError } from './arguments.ts';
import type { Options } from './options.ts';
import type { Sink } from './output.ts';
import { clean } from './render/clean.ts';
import { VERSION } from './version.ts';

export interface Surroundings {
  /** Directory of the running system: '/'. */
  readonly hostPath: string;
  /** The working directory. */
  readonly directory: string;
  readonly run: Run;
  readonly now: () => Date;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `uname -r` and `uname -m`. */
  readonly uname: string;
  readonly arch: string;
  readonly uid: number;
  readonly stdin: Source;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Aborted when a person or the system wants the program to end; the reason is the signal's name. */
  readonly interrupt: AbortSignal;
}

/** Where container managers and systemd leave their marks. Source: systemd's Container Interface, podman-run(1), Docker. */
const CONTAINER_MARKS = ['run/systemd/container', 'run/.containerenv', '.dockerenv'];

/** Whether this process lives in a container, or in a root other than that of process 1. */
function contained(host: Root): boolean {
  if (CONTAINER_MARKS.some((mark) => host.lstat(mark) !== null)) return true;
  return inChroot(host);
}

function inChroot(host: Root): boolean {
  if (!host.isHost) return false;
  try {
    const here = host.stat('.');
    const first = host.stat('proc/1/root');
    return here !== null && first !== null && (here.ino !== first.ino || here.dev !== first.dev);
  } catch (error) {
    // Only root may look at /proc/1/root; a chroot needs root as well.
    if (error instanceof KpmError) return false;
    throw error;
  }
}

/** The user who logged in, whatever sudo and su made of him since; for receipts. Source: pam_loginuid(8), passwd(5). */
function loginUser(host: Root, uid: number): string {
  const login = readQuietly(host, 'proc/self/loginuid')?.trim() ?? '';
  // 4294967295: nobody logged in (a service).
  const id = /^\d+$/.test(login) && login !== '4294967295' ? login : String(uid);
  const entry = readQuietly(host, 'etc/passwd')
    ?.split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[2] === id);
  return entry?.[0] ? clean(entry[0]) : `uid ${id}`;
}

function readQuietly(host: Root, file: string): string | null {
  try {
    return host.readText(file);
  } catch (error) {
    if (error instanceof KpmError) return null;
    throw error;
  }
}

function openRoot(path: string): Root {
  try {
    return new Root(path);
  } catch (cause) {
    throw usageError(
      `--installroot ${clean(path)} is not a directory that can be opened: ${(cause as Error).message}.`,
    );
  }
}

/** The machine a run works on. Raises `usage` for an --installroot that is not there. */
export function machineFor(surroundings: Surroundings, options: Options): Machine {
  const host = new Root(surroundings.hostPath);
  const installroot = options.value('installroot');
  const root = installroot === null ? host : openRoot(installroot);
  const live = options.flag('host') || (root.path === host.path && !contained(host));
  return {
    root,
    host,
    run: surroundings.run,
    now: surroundings.now,
    env: surroundings.env,
    live,
    uname: live ? surroundings.uname : null,
    arch: surroundings.arch,
    uid: surroundings.uid,
    user: loginUser(host, surroundings.uid),
    version: VERSION,
  };
}
