// The crash guard around a load: a marker on disk before, gone when the module proved healthy.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { KpmError } from '../errors.ts';
import { attribute, livepatches } from '../host/livepatch.ts';
import type { Root } from '../host/root.ts';
import { readAttempts, withAttempt, withoutAttempt, withProven, writeAttempts } from '../state/attempts.ts';
import type { State } from '../state/directory.ts';
import { readQuarantine } from '../state/quarantine.ts';
import { type LoadRequest, type LoadResult, loadModule } from './load/load.ts';
import { realStopwatch } from './load/times.ts';

/** Milliseconds a freshly loaded module must be at work without a crash before its marker goes. */
export const HEALTHY = 3_000;

export interface GuardedLoad extends LoadRequest {
  /** `now`: wait until it proved healthy. `later`: the marker stays until markHealthy (boot must not wait). */
  readonly proof: 'now' | 'later';
}

/**
 * loadModule behind a marker, if these bytes never proved healthy on this kernel. The caller holds the lock.
 * Raises `quarantined` and what loadModule raises.
 */
export async function loadGuarded(state: State, request: GuardedLoad): Promise<LoadResult> {
  const { machine, kernel, module, file } = request;
  const { root, uid } = state;
  const sha256 = request.sha256 ?? hashOf(machine.root, file);
  refuseQuarantined(state, request, sha256);
  const active = livepatches(machine.host).some((patch) => patch.module === module && patch.enabled);
  if (active || sha256 === null) return loadModule(request);
  const attempt = { kernel, module, file: path.posix.basename(file), sha256, since: machine.now().toISOString() };
  const bootId = attribute(machine.host, 'proc/sys/kernel/random/boot_id') ?? '';
  const marked = withAttempt(readAttempts(root, uid), { ...attempt, bootId });
  const tried = marked.attempts.some((one) => one.kernel === kernel && one.sha256 === sha256);
  if (tried) writeAttempts(state, marked);
  let result: LoadResult;
  try {
    result = await loadModule(request);
  } catch (error) {
    // Refused or stalled, and the machine lives to tell it.
    if (tried) writeAttempts(state, withoutAttempt(readAttempts(root, uid), { kernel, sha256 }));
    throw error;
  }
  if (tried && request.proof === 'now') {
    await (request.stopwatch ?? realStopwatch).sleep(HEALTHY);
    writeAttempts(state, withProven(readAttempts(root, uid), { kernel, sha256 }));
  }
  return result;
}

/** The machine has been up long enough, or goes down in order: what this boot tried proved healthy. Gives the modules. */
export function markHealthy(state: State, host: Root): string[] {
  const bootId = attribute(host, 'proc/sys/kernel/random/boot_id') ?? '';
  let file = readAttempts(state.root, state.uid);
  const own = file.attempts.filter((attempt) => attempt.bootId === bootId);
  for (const attempt of own) file = withProven(file, attempt);
  if (own.length > 0) writeAttempts(state, file);
  return own.map(({ module }) => module);
}

function refuseQuarantined({ root, uid }: State, { kernel, module }: LoadRequest, sha256: string | null): void {
  const found = readQuarantine(root, uid).find((one) => one.kernel === kernel && one.sha256 === sha256);
  if (!found) return;
  throw new KpmError('quarantined', {
    text: `${module} was not loaded: it is in quarantine since ${found.since.slice(0, 10)} (${found.why}).`,
    subject: module,
    hint: `Take a newer level, or give it another chance: kpatch-pm quarantine clear ${module}`,
  });
}

function hashOf(root: Root, file: string): string | null {
  const bytes = root.read(file, 512 * 1024 * 1024);
  return bytes === null ? null : createHash('sha256').update(bytes).digest('hex');
}
