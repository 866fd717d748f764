// `module load` and `module unload`, in the words of the kpatch utility; what the kernel says decides.
import { loadGuarded } from '../../apply/guard.ts';
import { selinuxEnforces } from '../../apply/load/domain.ts';
import { loadingForbidden } from '../../apply/load/forbidden.ts';
import { checkMayLoad, type LoadRequest, unloadModule } from '../../apply/load/load.ts';
import { bootFiles } from '../../decide/boot.ts';
import type { KernelRelease } from '../../domain/kernel.ts';
import { KpmError } from '../../errors.ts';
import { livepatches } from '../../host/livepatch.ts';
import { installedPatches } from '../../observe/system/installed.ts';
import { installedUtility } from '../../observe/system/utility.ts';
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
  return loadFile(session, found);
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
  const left = new Set([...aside].map(({ file }) => file));
  let status = 0;
  for (const { path } of files) {
    if (left.has(path)) continue;
    if (refused.some(({ file }) => file === path)) {
      status = session.fail(`${root.show(path)} is not the file that was installed`);
    } else if ((await loadFile(session, path)) !== 0) status = 1;
  }
  return status;
}

async function loadFile(session: Session, file: string): Promise<number> {
  const { machine } = session;
  const shown = machine.root.show(file);
  const facts = factsAt(machine.root, file);
  const module =
    facts?.name ??
    file
      .slice(file.lastIndexOf('/') + 1)
      .replace(/\.ko$/, '')
      .replace(/[-.]/g, '_');
  const present = machine.live ? livepatches(machine.host).find((patch) => patch.module === module) : undefined;
  if (present?.enabled && !present.transition) {
    session.out(`module named ${module} already loaded and enabled\n`);
    return 0;
  }
  session.out(present ? 'module already loaded, re-enabling\n' : `loading patch module: ${shown}\n`);
  const kernel = (machine.uname ?? '') as KernelRelease;
  try {
    checkMayLoad({ machine, kernel, module });
    const state = await session.locked();
    const receipt = readReceipts(machine.root, machine.uid, () => undefined)
      .flatMap((one) => one.files.map((entry) => ({ ...entry, path: `var/lib/kpatch/${one.kernel}/${entry.file}` })))
      .find((entry) => entry.path === file);
    const result = await loadGuarded(state, {
      machine,
      kernel,
      file,
      module,
      sha256: receipt?.sha256 ?? null,
      ...loaderFor(machine),
      proof: 'now',
      ui: { ...session.ui, note: session.ui.detail },
    });
    waited(session, result.seconds);
    for (const { text } of result.notices) session.ui.warn(text);
    return 0;
  } catch (error) {
    if (!(error instanceof KpmError) || error.code === 'internal') throw error;
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
  await session.locked();
  let status = 0;
  for (const module of wanted) if (!(await unloadOne(session, module))) status = 1;
  return status;
}

async function unloadOne(session: Session, module: string): Promise<boolean> {
  session.out(`disabling patch module: ${module}\n`);
  try {
    const { seconds } = await unloadModule({ machine: session.machine, module });
    waited(session, seconds);
    session.out(`unloading patch module: ${module}\n`);
    return true;
  } catch (error) {
    if (!(error instanceof KpmError) || error.code === 'internal') throw error;
    session.explain(error);
    if (error.code === 'transition-stalled') session.fail(`transition stalled for ${module}`);
    else session.fail(`failed to unload module ${module}`);
    return false;
  }
}
