// The running kernel: load what is installed, prove it, and take a refused level back.
import { loadGuarded } from '../apply/guard.ts';
import type { KnownLevel } from '../apply/load/level.ts';
import { receiptOf } from '../apply/transactions.ts';
import type { KernelRelease } from '../domain/kernel.ts';
import type { LoadAction } from '../domain/plan.ts';
import type { Receipt } from '../domain/receipt.ts';
import { type ErrorCode, KpmError } from '../errors.ts';
import { kernelReceipts } from '../state/receipts.ts';
import type { Application, Installation } from './application.ts';
import { keep, revert, settle } from './install.ts';
import { ownOf, takeOwnBack } from './own.ts';
import { recordFailure } from './record.ts';

/** Codes by which the kernel says that this module will never do: the level before returns (contract section 2). */
const REFUSED: readonly ErrorCode[] = [
  'load-refused-format',
  'load-refused-symbol',
  'load-refused-signature',
  'load-refused-init',
  'not-a-livepatch',
];

interface ToLoad {
  readonly file: string;
  readonly module: string;
  readonly sha256: string | null;
}

/**
 * Loads the installed level of a kernel and proves it in sysfs. A refusal by the kernel takes the new level back; a stall
 * leaves it installed for the next boot. Raises what loadGuarded raises.
 */
export async function loadOne(application: Application, action: LoadAction): Promise<void> {
  const installation = application.installations.get(action.kernel) ?? null;
  const own = ownOf(application, action);
  const modules = own
    ? [{ ...own, file: `var/lib/kpatch/${own.kernel}/${own.file}` }]
    : installation
      ? freshModules(installation)
      : installedModule(application, action);
  try {
    for (const module of modules) await load(application, action, module);
  } catch (error) {
    recordFailure(application, action.kernel, error, isRefusal(error));
    if (own && isRefusal(error)) await takeOwnBack(application, own);
    if (installation) await afterFailure(application, installation, error);
    else if (!own && isRefusal(error)) await takeBackUnproven(application, action);
    throw error;
  }
  if (installation) await settle(application, installation);
  else if (!own) await keepProven(application, action);
}

const isRefusal = (error: unknown): boolean => error instanceof KpmError && REFUSED.includes(error.code);

async function afterFailure(application: Application, installation: Installation, error: unknown): Promise<void> {
  const { request } = installation;
  if (!isRefusal(error) || request.before === undefined) {
    await settle(application, installation);
    return;
  }
  const became = await revert(application, receiptOf(request));
  application.reverted.add(request.kernel);
  application.ui.warn(`The kernel refused ${request.verified.nevra.name}; ${became}.`);
}

/** The receipt of the level that a load is about, where the run that installed it was killed before the level was proven. */
function unproven({ observed: { machine } }: Application, { kernel, module }: LoadAction): Receipt | null {
  const receipts = kernelReceipts(machine.root, machine.uid, kernel as KernelRelease);
  const found = receipts.find(({ files }) => files.some((file) => file.module === module));
  return found?.before === undefined ? null : found;
}

async function takeBackUnproven(application: Application, action: LoadAction): Promise<void> {
  const failed = unproven(application, action);
  if (failed === null) return;
  const became = await revert(application, failed);
  application.ui.warn(`The kernel refused ${failed.package.name}, which an interrupted run had installed; ${became}.`);
}

/** Where rpm is still to be told, that ends it (registration.ts). */
async function keepProven(application: Application, action: LoadAction): Promise<void> {
  const receipt = unproven(application, action);
  if (receipt !== null && receipt.registration === undefined) await keep(application, receipt);
}

function freshModules({ staged }: Installation): ToLoad[] {
  return staged.modules.map(({ file, module, sha256 }) => ({
    file: `var/lib/kpatch/${staged.action.kernel}/${file}`,
    module,
    sha256,
  }));
}

/** A module that was installed before; its receipt says what its bytes must be. */
function installedModule({ observed }: Application, action: LoadAction): ToLoad[] {
  const { machine, world } = observed;
  const patch = world.installed.find(
    (one) => one.kernel === action.kernel && one.module === action.module && one.file !== null,
  );
  if (!patch?.file || !patch.module) {
    throw new KpmError('internal', { text: `${action.module} was to be loaded and is not installed.` });
  }
  const name = patch.file.slice(patch.file.lastIndexOf('/') + 1);
  const receipt = kernelReceipts(machine.root, machine.uid, action.kernel)
    .flatMap((one) => one.files)
    .find((one) => one.file === name);
  return [{ file: patch.file, module: patch.module, sha256: receipt?.sha256 ?? null }];
}

async function load(application: Application, action: LoadAction, module: ToLoad): Promise<void> {
  const { observed, locked, ui } = application;
  const { machine, world, config } = observed;
  const result = await loadGuarded(locked.state, {
    machine,
    proof: 'now',
    onConflict: config.kpm.onConflict,
    kernel: action.kernel,
    ...module,
    loader: config.kpm.loader,
    utility: world.utility,
    known: knownLevels(application, action.kernel),
    times: { signal: config.kpm.stallSignal * 1000, giveUp: config.kpm.stallGiveUp * 1000 },
    ui,
  });
  for (const { text } of result.notices) ui.warn(text);
  const how = result.already ? 'was active already' : `is active after ${result.seconds.toFixed(1)} s`;
  ui.note(`${result.module} ${how} (enabled 1, transition 0).`);
}

/** The levels this kernel's modules stand for, by their packages: names alone cannot order every release. */
function knownLevels({ observed, installations }: Application, kernel: string): KnownLevel[] {
  const before = observed.world.installed.flatMap(({ kernel: of, module, package: pkg }) =>
    of === kernel && module !== null && pkg !== null ? [{ module, evr: pkg }] : [],
  );
  const staged = installations.get(kernel)?.staged;
  const fresh = staged?.modules.map(({ module }) => ({ module, evr: staged.verified.nevra })) ?? [];
  return [...before, ...fresh];
}
