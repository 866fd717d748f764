// Where SELinux enforces: the kpatch utility started by systemd, so that it runs in the domain the policy has for it.
// kpatch.service gets its domain (kpatch_t) because process 1 executes /usr/sbin/kpatch (kpatch_exec_t); a transient service that
// executes the same program gets the same one. Restarting kpatch.service itself would load every file of the directory, start a
// unit that somebody may have disabled, and tell nothing about the one file that is meant.
// Source: systemd-run(1), systemd.exec(5); selinux-policy (kpatch_t, kmod_t); rhbz#2053413, rhbz#2022123.
import { KpmError } from '../../errors.ts';
import { attribute } from '../../host/livepatch.ts';
import type { Root } from '../../host/root.ts';
import type { Run, RunResult } from '../../host/run.ts';
import { systemdRuns } from '../../host/systemd.ts';

/** How a program that loads modules is started. */
export type Way = 'direct' | 'service';

export interface Surroundings {
  readonly selinuxEnforcing: boolean;
  readonly systemdRuns: boolean;
  /** Whether systemd-run(1) is installed. */
  readonly systemdRun: boolean;
}

/** `service` only where it makes a difference and can be had; the built-in loader has no domain of its own to go to. */
export function chooseWay(loader: 'builtin' | 'kpatch', around: Surroundings): Way {
  const possible = around.systemdRuns && around.systemdRun;
  return loader === 'kpatch' && around.selinuxEnforcing && possible ? 'service' : 'direct';
}

export function selinuxEnforces(sys: Root): boolean {
  return attribute(sys, 'sys/fs/selinux/enforce', ['EACCES', 'EPERM']) === '1';
}

export function surroundingsOf(sys: Root, run: Run): Surroundings {
  return {
    selinuxEnforcing: selinuxEnforces(sys),
    systemdRuns: systemdRuns(sys),
    systemdRun: run.which('systemd-run') !== null,
  };
}

/** Milliseconds systemd gets beyond the limit of the program itself. */
const SLACK = 10_000;

/**
 * Runs a program to its end as a transient service; null when systemd would not start it at all, so that nothing happened.
 * A oneshot service is waited for by its start job, for which no message bus is needed. What the program writes goes to the
 * journal, for its domain may not write into our pipes: of a failed run it is read from there, as far as that can be done.
 */
export async function runAsService(
  run: Run,
  unit: string,
  command: readonly [string, ...string[]],
  timeout: number,
): Promise<RunResult | null> {
  const seconds = Math.ceil(timeout / 1000);
  const options = ['--collect', `--unit=${unit}`, '--property=Type=oneshot', `--property=TimeoutStartSec=${seconds}`];
  const result = await run.run('systemd-run', [...options, '--', ...command], { timeout: timeout + SLACK });
  if (result.status === 0) return { ...result, stderr: '' };
  // "Job for UNIT failed because ...": it ran. Anything else is systemd-run's own trouble.
  if (!/^Job for /m.test(result.stderr)) return null;
  return { ...result, stderr: await saidBy(run, unit) };
}

async function saidBy(run: Run, unit: string): Promise<string> {
  if (run.which('journalctl') === null) return '';
  try {
    // What was written a moment ago may still be on its way; an old journal that cannot be asked for it is read all the same.
    await run.run('journalctl', ['-q', '--sync'], { timeout: SLACK });
    const wanted = ['-q', '-b', '-o', 'cat', '-n', '200', `_SYSTEMD_UNIT=${unit}`];
    const { status, stdout } = await run.run('journalctl', wanted, { timeout: SLACK });
    return status === 0 ? stdout.toString('utf8') : '';
  } catch (error) {
    // No journal, or one that does not answer: the kernel's own log is read as well.
    if (error instanceof KpmError) return '';
    throw error;
  }
}
