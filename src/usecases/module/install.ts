// `module install`, `module uninstall`, `module info`, `module signal`, in the words of the kpatch utility.
import path from 'node:path';
import { move } from '../../apply/aside.ts';
import { runTransaction } from '../../apply/install.ts';
import { labelModule } from '../../apply/label.ts';
import { openRecord } from '../../apply/record.ts';
import { removeSteps } from '../../apply/transactions.ts';
import { type KernelRelease, kernelRelease } from '../../domain/kernel.ts';
import type { InstalledPatch } from '../../domain/livepatch.ts';
import { KpmError } from '../../errors.ts';
import { MAX_MODULE, moduleFacts } from '../../formats/elf/module.ts';
import { canSignal, livepatches, signalTasks } from '../../host/livepatch.ts';
import { installedPatches } from '../../observe/system/installed.ts';
import { readRpmdb } from '../../observe/system/rpmdb.ts';
import { checkDecisions } from '../../pipeline/holds.ts';
import { moduleAction } from '../../pipeline/record.ts';
import { recordAlone } from '../../pipeline/record-alone.ts';
import { ensureBoot } from '../../pipeline/units.ts';
import { STAGING } from '../../state/directory.ts';
import { isModuleFile, readReceipts } from '../../state/receipts.ts';
import type { Step } from '../../state/steps.ts';
import { installedFile, typedFile } from './files.ts';
import type { Session } from './session.ts';

/** `install [-k KVER] FILE`. */
export async function install(session: Session, kernel: string, words: readonly string[]): Promise<number> {
  const [typed] = words;
  const { root, host } = session.machine;
  if (typed === undefined) return session.fail('no module file specified');
  if (kernel === '') return noKernel(session);
  const from = typedFile(host, session.directory, typed);
  if (from === null) return session.fail(`${typed} doesn't exist`);
  const file = path.posix.basename(from);
  if (!file.endsWith('.ko')) return session.fail(`${typed} isn't a .ko file`);
  const release = kernelRelease(kernel);
  if (release === null || !isModuleFile(file)) return session.fail(`${typed} cannot be installed for kernel ${kernel}`);
  const bytes = host.read(from, MAX_MODULE) ?? Buffer.alloc(0);
  let facts: ReturnType<typeof moduleFacts>;
  try {
    facts = moduleFacts(bytes);
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    session.explain(error);
    return session.fail('modinfo failed');
  }
  if (facts.release !== kernel) return session.fail(`invalid module version ${facts.release} for kernel ${kernel}`);
  const to = `var/lib/kpatch/${release}/${file}`;
  if (root.lstat(to) !== null) return session.fail(`${typed} is already installed`);
  const locked = await session.transaction();
  const { state } = locked;
  session.out(`installing ${typed} (${kernel})\n`);
  root.mkdirs(STAGING, 0o700);
  const staged = `${STAGING}/${file}`;
  state.root.write(staged, bytes, { mode: 0o644 });
  const label = await labelModule(session.machine, staged);
  if (label) session.ui.warn(label.text);
  const action = moduleAction('module-install', release, facts.name);
  const at = { machine: session.machine, locked, warn: session.ui.warn };
  await recordAlone(at, session.commandLine, [action], async (record) => {
    root.mkdirs('var/lib/kpatch');
    move(root, staged, to, 0o755);
    record.done(0);
  });
  await ensureBoot(session.machine, session.ui);
  return 0;
}

/** Without -k the running kernel is meant, and there is none of ours in another root, a container or a chroot. */
const noKernel = (session: Session): number =>
  session.fail('no kernel runs in this root; name the one that is meant: -k KVER');

/** `uninstall [-k KVER] FILE|MODULE`. What a package brought is held afterwards, so that automatic runs leave it away. */
export async function uninstall(session: Session, kernel: string, words: readonly string[]): Promise<number> {
  const [name] = words;
  const { root, run, uid, now } = session.machine;
  if (name === undefined) return session.fail('no module file specified');
  if (name.includes('/')) return session.fail('please supply patch module name without path');
  if (kernel === '') return noKernel(session);
  const found = installedFile(root, kernel, name);
  if (found === null) return session.fail(`${name} is not installed for kernel ${kernel}`);
  const locked = await session.transaction();
  checkDecisions(session.machine);
  session.out(`uninstalling ${name} (${kernel})\n`);
  const installed = installedPatches(root, await readRpmdb(root, run), readReceipts(root, uid));
  const patch = installed.find(({ file }) => file === found.path);
  const steps = uninstallSteps(found.kernel, found.file, patch, installed, now());
  const action = moduleAction('module-remove', found.kernel, patch?.module ?? name, patch?.package);
  const of = openRecord(session.machine, locked, session.commandLine, [action]);
  const { results, notices } = await runTransaction(session.machine, locked, steps, new Map(), {
    record: { of, ends: [0] },
  });
  for (const { text } of notices) session.ui.warn(text);
  for (const { problem } of results) if (problem) session.ui.warn(problem.text);
  const gone = root.lstat(found.path) === null;
  of.close(gone ? 0 : 1);
  return gone ? 0 : 1;
}

function uninstallSteps(
  kernel: KernelRelease,
  file: string,
  patch: InstalledPatch | undefined,
  installed: readonly InstalledPatch[],
  now: Date,
): readonly Step[] {
  const drop: Step = { do: 'drop', place: 'active', kernel, file, keep: false, ifRegistered: null };
  const nevra = patch?.package ?? null;
  if (patch === undefined || nevra === null) return [drop];
  const why = 'taken away by `kpatch-pm module uninstall`';
  const hold = { kernel, name: nevra.name, since: now.toISOString(), why };
  // What dnf installed stays in its database, as under the utility.
  if (patch.source !== 'kpatch-pm') return [{ do: 'hold', hold }, drop];
  const patches = installed.filter((one) => one.kernel === kernel && one.package?.name === nevra.name);
  return removeSteps({ kernel, package: nevra, patches, hold }).steps;
}

/** `info FILE|MODULE`: the fields of modinfo. */
export async function info(session: Session, words: readonly string[]): Promise<number> {
  const [name = ''] = words;
  const { machine } = session;
  const typed = typedFile(machine.host, session.directory, name);
  const installed = installedFile(machine.root, machine.uname ?? '', name)?.path;
  const shown = typed !== null ? machine.host.show(typed) : installed && machine.root.realPath(installed);
  if (!shown) return session.fail(`can't find ${name}`);
  session.out(`Patch information for ${name}:\n`);
  const { status, stdout, stderr } = await machine.run.run('modinfo', [shown]);
  session.out(stdout.toString('utf8'));
  if (status === 0) return 0;
  session.err(stderr);
  return session.fail(`failed to get info for module ${name}`);
}

/** `signal`: pokes the tasks in the way of a transition, where the kernel does not do so by itself. */
export function signal(session: Session): number {
  const { machine } = session;
  const moving = machine.live ? livepatches(machine.host).find((patch) => patch.transition) : undefined;
  if (!moving) return 0;
  if (canSignal(machine.host, moving.module)) {
    session.out('signaling stalled process(es):\n');
    signalTasks(machine.host, moving.module);
  } else {
    session.err('kpatch: Livepatch process signaling is performed automatically on your system.\n');
    session.err('kpatch: Skipping manual process signaling.\n');
  }
  return 0;
}
