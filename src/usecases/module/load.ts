// `module load` and `module unload`, in the words of the kpatch utility; what the kernel says decides.
import { loadGuarded } from '../../apply/guard.ts';
import { selinuxEnforces } from '../../apply/load/domain.ts';
import { loadingForbidden } from '../../apply/load/forbidden.ts';
import { checkMayLoad, type LoadRequest, unloadModule } from '../../apply/load/load.ts';
import { openRecord, type RunRecord } from '../../apply/record.ts';
import { bootFiles } from '../../decide/boot.ts';
import type { KernelRelease } from '../../domain/kernel.ts';
import type { LoadedPatch } from '../../domain/livepatch.ts';
import { KpmError } from '../../errors.ts';
import { livepatches } from '../../host/livepatch.ts';
import type { Machine } from '../../host/machine.ts';
import type { Root } from '../../host/root.ts';
import { installedPatches } from '../../observe/system/installed.ts';
import { installedUtility } from '../../observe/system/utility.ts';
import { aloneAction } from '../../pipeline/record.ts';
import { type AloneRecord, recordAlone } from '../../pipeline/record-alone.ts';
import { readReceipts } from '../../state/receipts.ts';
import { factsAt, installedFile, moduleFiles, typedFile } from './files.ts';
import type { Session } from './session.ts';

/** `load FILE|MODULE` and `load --all`; gives the exit status. */
export async function load(session: Session, words: readonly string[]): Promise<number> {
  const [what = ''] = words;
  if (what === '--all') return loadAll(session);
  const { machine } = session;
  const typed = typedFile(machine.host, session.directory, what);
  const found = typed ?? installedFile(machine.root, machine.uname ?? '', what)?.path ?? null;
  if (found === null) return session.fail(`can't find ${what}`);
  const loads = loadsOf(session, [found]);
  return ended(session, loads, await loadFile(session, found, loads));
}

/** What one run loads, and its record in the history once it loads something. */
interface Loads {
  /** The module of every file that the kernel does not have already. */
  readonly modules: ReadonlyMap<string, string>;
  record: RunRecord | null;
}

function loadsOf({ machine }: Session, files: readonly string[]): Loads {
  const named = files.map((file) => [file, moduleOf(machine.root, file)] as const);
  return { modules: new Map(named.filter(([, module]) => !isActive(machine, module))), record: null };
}

function ended(session: Session, { record }: Loads, status: number): number {
  const error = record?.close(status);
  if (error) session.ui.warn(error.message);
  return status;
}

const moduleOf = (root: Root, file: string): string =>
  factsAt(root, file)?.name ??
  file
    .slice(file.lastIndexOf('/') + 1)
    .replace(/\.ko$/, '')
    .replace(/[-.]/g, '_');

const stateOf = (machine: Machine, module: string): LoadedPatch | undefined =>
  machine.live ? livepatches(machine.host).find((patch) => patch.module === module) : undefined;

function isActive(machine: Machine, module: string): boolean {
  const patch = stateOf(machine, module);
  return patch?.enabled === true && !patch.transition;
}

/** Every installed module of the running kernel: the newest level of each stream, then the others; all are tried. */
async function loadAll(session: Session): Promise<number> {
  const { machine } = session;
  const { root, uid } = machine;
  const kernel = machine.uname as KernelRelease | null;
  if (kernel === null) {
    const forbidden = loadingForbidden(machine);
    // Which kernel's modules are meant is not known here; silence would look like success.
    if (forbidden === null || moduleFiles(root).length === 0) return 0;
    return session.fail(`nothing was loaded: ${forbidden.text}`);
  }
  const files = moduleFiles(root, kernel);
  const receipts = readReceipts(root, uid, () => undefined);
  const installed = installedPatches(root, { how: 'none', path: null, packages: [], notices: [] }, receipts);
  const { aside, refused } = bootFiles(kernel, { installed });
  for (const { module } of aside) session.err(`kpatch: ${module} is not loaded: a higher level of it is installed\n`);
  const left = new Set([...aside, ...refused].map(({ file }) => file));
  const loads = loadsOf(
    session,
    files.map(({ path }) => path).filter((path) => !left.has(path)),
  );
  let status = 0;
  for (const { path } of files) {
    if (refused.some(({ file }) => file === path)) {
      status = session.fail(`${root.show(path)} is not the file that was installed`);
    } else if (!left.has(path) && (await loadFile(session, path, loads)) !== 0) status = 1;
  }
  return ended(session, loads, status);
}

async function loadFile(session: Session, file: string, loads: Loads): Promise<number> {
  const { machine } = session;
  const shown = machine.root.show(file);
  const module = moduleOf(machine.root, file);
  const present = stateOf(machine, module);
  if (isActive(machine, module)) {
    session.out(`module named ${module} already loaded and enabled\n`);
    return 0;
  }
  session.out(present ? 'module already loaded, re-enabling\n' : `loading patch module: ${shown}\n`);
  const kernel = (machine.uname ?? '') as KernelRelease;
  const place = [...loads.modules.keys()].indexOf(file);
  try {
    checkMayLoad({ machine, kernel, module });
    const locked = await session.transaction();
    const actions = [...loads.modules.values()].map((one) => aloneAction('load', kernel, one));
    loads.record ??= openRecord(machine, locked, session.commandLine, actions);
    loads.record.write();
    const receipt = readReceipts(machine.root, machine.uid, () => undefined)
      .flatMap((one) => one.files.map((entry) => ({ ...entry, path: `var/lib/kpatch/${one.kernel}/${entry.file}` })))
      .find((entry) => entry.path === file);
    const result = await loadGuarded(locked.state, {
      machine,
      kernel,
      file,
      module,
      sha256: receipt?.sha256 ?? null,
      ...loaderFor(machine),
      proof: 'now',
      ui: { ...session.ui, note: session.ui.detail },
    });
    loads.record.set(place, { outcome: 'done', error: null });
    waited(session, result.seconds);
    for (const { text } of result.notices) session.ui.warn(text);
    return 0;
  } catch (error) {
    if (!(error instanceof KpmError) || error.code === 'internal') throw error;
    loads.record?.set(place, { outcome: 'failed', error: { code: error.code, text: error.message } });
    return loadFailed(session, error, module, shown);
  }
}

/** These verbs are the utility; but where SELinux enforces, only the utility itself has a domain that may load modules. */
function loaderFor({ root, host }: Session['machine']): Pick<LoadRequest, 'loader' | 'utility'> {
  const utility = selinuxEnforces(host)
    ? installedUtility(root, { how: 'none', path: null, packages: [], notices: [] })
    : { path: null, version: null };
  return { loader: utility.path === null ? 'builtin' : 'auto', utility };
}

function loadFailed(session: Session, error: KpmError, module: string, shown: string): number {
  if (error.code === 'transition-stalled') {
    session.out(`${WAITING}\npatch transition has stalled!\n`);
    session.explain(error);
    return session.fail(`error: failed to load module ${module} (transition stalled)`);
  }
  session.explain(error);
  return session.fail(`failed to load module ${shown}`);
}

const WAITING = 'waiting (up to 15 seconds) for patch transition to complete...';

/** The utility looks once a second: a transition that is over at once is not mentioned. */
function waited(session: Session, seconds: number): void {
  if (seconds < 1) return;
  session.out(`${WAITING}\ntransition complete (${Math.round(seconds)} seconds)\n`);
}

/** `unload MODULE` and `unload --all`; gives the exit status. Asks first. */
export async function unload(session: Session, words: readonly string[]): Promise<number> {
  const [what = ''] = words;
  const loaded = session.machine.live ? livepatches(session.machine.host) : [];
  const name = what.replace(/^.*\//, '').replace(/\.ko$/, '').replace(/[-.]/g, '_');
  const wanted = what === '--all' ? loaded.map(({ module }) => module) : [name];
  if (what !== '--all' && !loaded.some(({ module }) => module === name)) {
    session.fail(`patch module ${name} is not loaded`);
    return session.fail(`failed to disable module ${name}`);
  }
  if (wanted.length === 0) return 0;
  const question = 'WARNING: vendors do not support the unloading of live patches, continue anyway?';
  if (!session.yes && !(await session.ui.confirm(question))) {
    throw new KpmError('aborted', { text: 'Operation aborted.' });
  }
  const locked = await session.transaction();
  const { machine, ui } = session;
  const actions = wanted.map((module) => aloneAction('unload', machine.uname, module));
  const act = async (record: AloneRecord): Promise<number> => {
    let status = 0;
    for (const [n, module] of wanted.entries()) if (!(await unloadOne(session, module, n, record))) status = 1;
    return status;
  };
  return recordAlone({ machine, locked, warn: ui.warn }, session.commandLine, actions, act, (status) => status);
}

async function unloadOne(session: Session, module: string, n: number, record: AloneRecord): Promise<boolean> {
  session.out(`disabling patch module: ${module}\n`);
  try {
    const { seconds } = await unloadModule({ machine: session.machine, module });
    record.done(n);
    waited(session, seconds);
    session.out(`unloading patch module: ${module}\n`);
    return true;
  } catch (error) {
    if (!(error instanceof KpmError) || error.code === 'internal') throw error;
    record.failed(n, error);
    session.explain(error);
    if (error.code === 'transition-stalled') session.fail(`transition stalled for ${module}`);
    else session.fail(`failed to unload module ${module}`);
    return false;
  }
}
