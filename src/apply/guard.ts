// The crash guard around a load: a marker on disk before, gone when the module proved healthy.
import { createHash } from 'node:crypto';
import path from 'node:path';
import { conflicting, type KernelFunction, probeText } from '../domain/probes.ts';
import { KpmError } from '../errors.ts';
import { MAX_MODULE, moduleFacts } from '../formats/elf/module.ts';
import { whole } from '../host/interruption.ts';
import { attribute, livepatches } from '../host/livepatch.ts';
import { kernelProbes, replacedFunctions } from '../host/probes.ts';
import type { Root } from '../host/root.ts';
import { readAttempts, withAttempt, withoutAttempt, withProven, writeAttempts } from '../state/attempts.ts';
import type { State } from '../state/directory.ts';
import { readQuarantine } from '../state/quarantine.ts';
import { checkMayLoad, type LoadRequest, type LoadResult, loadModule } from './load/load.ts';
import { realStopwatch } from './load/times.ts';

/** Milliseconds a freshly loaded module must be at work without a crash before its marker goes. */
export const HEALTHY = 3_000;

export interface GuardedLoad extends LoadRequest {
  /** `now`: wait until it proved healthy. `later`: the marker stays until markHealthy (boot must not wait). */
  readonly proof: 'now' | 'later';
  /** A probe on a function that is replaced: told (unless said), or a reason not to load. */
  readonly onConflict?: 'warn' | 'refuse';
}

/**
 * loadModule behind a marker, if these bytes never proved healthy on this kernel. The caller holds the lock.
 * Raises `quarantined`, `probe-conflict` and what loadModule raises.
 */
export function loadGuarded(state: State, request: GuardedLoad): Promise<LoadResult> {
  // The kernel goes on with a load whoever waits for it; its end has to be seen, and the marker taken away.
  const needed = `Whether ${request.module} is active says: kpatch-pm status. Then run the same command again.`;
  return whole(request.machine, needed, () => guarded(state, request));
}

async function guarded(state: State, request: GuardedLoad): Promise<LoadResult> {
  const { machine, kernel, module, file } = request;
  const { root, uid } = state;
  const sha256 = request.sha256 ?? hashOf(machine.root, file);
  refuseQuarantined(state, request, sha256);
  // No marker for a load that is not tried: in a container it would be about somebody else's kernel.
  checkMayLoad(request);
  preflight(request);
  const active = livepatches(machine.host).some((patch) => patch.module === module && patch.enabled);
  if (active || sha256 === null) return loadModule(request).then((result) => lookAgain(request, result));
  const attempt = { kernel, module, file: path.posix.basename(file), sha256, since: machine.now().toISOString() };
  const bootId = attribute(machine.host, 'proc/sys/kernel/random/boot_id') ?? '';
  const marked = withAttempt(readAttempts(root, uid), { ...attempt, bootId });
  const tried = marked.attempts.some((one) => one.kernel === kernel && one.sha256 === sha256);
  if (tried) arm(request, () => writeAttempts(state, marked));
  let result: LoadResult;
  try {
    result = await loadModule(request);
  } catch (error) {
    // Refused or stalled, and the machine lives to tell it. What hangs in the kernel may take the machine down yet.
    if (tried && !(error instanceof KpmError && error.code === 'load-stuck'))
      writeAttempts(state, withoutAttempt(readAttempts(root, uid), { kernel, sha256 }));
    throw error;
  }
  if (tried && request.proof === 'now') {
    await (request.stopwatch ?? realStopwatch).sleep(HEALTHY);
    arm(request, () => writeAttempts(state, withProven(readAttempts(root, uid), { kernel, sha256 })));
  }
  return lookAgain(request, result);
}

/** Writes the marker. A full or read-only disk costs the guard, which is said, not the patch. */
function arm({ module, ui }: GuardedLoad, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof KpmError && ['read-only', 'no-space'].includes(error.code))) throw error;
    ui?.warn(`${error.message} ${module} is loaded without the crash guard.`);
  }
}

/** Probes on the functions the file says it replaces. Raises `probe-conflict` where that is a reason not to load. */
function preflight({ machine, module, file, onConflict, ui }: GuardedLoad): void {
  const functions = functionsOf(machine.root, file);
  if (functions.length === 0 || !machine.live) return;
  const found = kernelProbes(machine.host);
  const conflicts = conflicting(functions, found);
  if (found.unknown.length > 0) {
    ui?.detail(
      `Whether probes hang on the functions that ${module} replaces is not known: ${found.unknown.join(', ')} cannot be read.`,
    );
  }
  if (conflicts.length === 0) return;
  const text = `${module} replaces functions that are probed: ${conflicts.map(probeText).join('; ')}`;
  if (onConflict !== 'refuse') return void ui?.warn(`${text}. Vendors support neither probes nor tracing on them.`);
  throw new KpmError('probe-conflict', {
    text: `${module} was not loaded: it ${text.slice(module.length + 1)}.`,
    subject: module,
    hint: 'Remove the probe, or set on_conflict=warn in /etc/kpatch-pm/kpatch-pm.conf.',
  });
}

/** The same once it is loaded, by what the kernel says it replaces: not every file says so itself. */
function lookAgain({ machine, module, file }: GuardedLoad, result: LoadResult): LoadResult {
  if (functionsOf(machine.root, file).length > 0) return result;
  const conflicts = conflicting(replacedFunctions(machine.host, module), kernelProbes(machine.host));
  if (conflicts.length === 0) return result;
  const text = `${module} is active, but functions it replaces are probed: ${conflicts.map(probeText).join('; ')}.`;
  return { ...result, notices: [...result.notices, { code: 'probe-conflict', text }] };
}

/** The functions a module file says it replaces; none where it does not say, or is no module (loading will tell). */
function functionsOf(root: Root, file: string): readonly KernelFunction[] {
  try {
    const bytes = root.read(file, MAX_MODULE);
    return bytes === null ? [] : moduleFacts(bytes).functions;
  } catch (error) {
    if (error instanceof KpmError) return [];
    throw error;
  }
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
  const bytes = root.read(file, MAX_MODULE);
  return bytes === null ? null : createHash('sha256').update(bytes).digest('hex');
}
