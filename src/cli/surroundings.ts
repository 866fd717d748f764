// What the program stands in: gathered by bin.ts from the real machine, by tests from temporary directories.
import { hasErrno } from '../errors.ts';
import { rpmArch } from '../host/arch.ts';
import type { Machine } from '../host/machine.ts';
import { isContained, loginUser } from '../host/real.ts';
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
  /** Version of the node that runs us. */
  readonly nodeVersion: string;
  /** Whether node brings its own OpenSSL in place of the system's. */
  readonly ownOpenssl: boolean;
  readonly stdin: Source;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Aborted when a person or the system wants the program to end; the reason is the signal's name. */
  readonly interrupt: AbortSignal;
  /** Aborted by a second such signal. */
  readonly interruptAgain: AbortSignal;
}

function openRoot(path: string): Root {
  let root: Root;
  try {
    root = new Root(path);
  } catch (cause) {
    const why = hasErrno(cause, 'ENOENT') ? 'there is none' : clean((cause as Error).message);
    throw usageError(`--installroot ${clean(path)} is not a directory that can be opened: ${why}.`);
  }
  if (!root.stat('.')?.isDirectory()) throw usageError(`--installroot ${clean(path)} is not a directory.`);
  return root;
}

/** The machine a run works on. Raises `usage` for an --installroot that is not there. */
export function machineFor(surroundings: Surroundings, options: Options): Machine {
  const host = new Root(surroundings.hostPath);
  const installroot = options.value('installroot');
  const root = installroot === null ? host : openRoot(installroot);
  const live = options.flag('host') || (root.path === host.path && !isContained(host));
  return {
    root,
    host,
    run: surroundings.run,
    now: surroundings.now,
    env: surroundings.env,
    live,
    uname: live ? surroundings.uname : null,
    arch: rpmArch(surroundings.arch),
    uid: surroundings.uid,
    user: loginUser(host, surroundings.env, surroundings.uid),
    version: VERSION,
  };
}
