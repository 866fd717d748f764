// From staged packages to the steps of a transaction. Pure.
import type { InstalledPatch } from '../domain/livepatch.ts';
import { RECEIPT_FORMAT, type Receipt } from '../domain/receipt.ts';
import type { DropStep, PutStep, RegisterStep, Step } from '../state/steps.ts';
import type { StagedPatch } from './stage.ts';

export interface StepContext {
  /** ISO time of the change. */
  readonly time: string;
  readonly version: string;
  readonly askedBy: string;
  /** Module files this package supersedes (see supersededBy), as they lie on disk. */
  readonly superseded: readonly FileOnDisk[];
}

/** A module file as found, so that it can come back exactly so. */
export interface FileOnDisk {
  readonly file: string;
  readonly sha256: string;
  readonly size: number;
  readonly mode: number;
  readonly mtime: number;
}

/** Names of the module files that leave: those of packages of the same stream that are not among the new ones. Foreign files stay. */
export function supersededBy({ action, modules }: StagedPatch, installed: readonly InstalledPatch[]): string[] {
  const fresh = new Set(modules.map(({ file }) => file));
  return installed
    .filter((patch) => patch.kernel === action.kernel && patch.package?.name === action.package.name)
    .flatMap((patch) => (patch.file === null ? [] : [patch.file.slice(patch.file.lastIndexOf('/') + 1)]))
    .filter((file) => !fresh.has(file));
}

/**
 * Steps that install one staged package: new in, superseded out, receipt. The order never leaves the kernel without a patch.
 * With `keep`, what is dropped can come back until `forget` (settleSteps).
 */
export function installSteps(staged: StagedPatch, context: StepContext, keep: boolean): Step[] {
  const { kernel } = staged.action;
  const puts = staged.modules.map((module) => putStep(kernel, module));
  const drops = context.superseded.map(({ file }): DropStep => ({ do: 'drop', place: 'active', kernel, file, keep }));
  return [...puts, ...drops, { do: 'receipt', receipt: receiptOf(staged, context) }];
}

/** Steps once the new level stays: the rpm database is told, what was kept is given up. */
export function settleSteps(staged: StagedPatch, context: StepContext, register: boolean): Step[] {
  const { pkg, sha256 } = staged.verified;
  const told: RegisterStep = { do: 'register', nevra: pkg.nevra, sha256, size: pkg.bytes.length, downgrade: false };
  const forget: Step = { do: 'forget', kernel: staged.action.kernel };
  return register ? [told, { do: 'receipt', receipt: receiptOf(staged, context) }, forget] : [forget];
}

/** Steps that take installSteps back, after the kernel refused the new level: the level before returns. */
export function revertSteps(staged: StagedPatch, context: StepContext, before: Receipt | null): Step[] {
  const { kernel, package: pkg } = staged.action;
  const returning = new Set(context.superseded.map(({ file }) => file));
  const puts = context.superseded.map((file) => putStep(kernel, file));
  const drops = staged.modules
    .filter(({ file }) => !returning.has(file))
    .map(({ file }): DropStep => ({ do: 'drop', place: 'active', kernel, file, keep: false }));
  const receipt: Step = before ? { do: 'receipt', receipt: before } : { do: 'unreceipt', kernel, name: pkg.name };
  return [...puts, ...drops, receipt, { do: 'forget', kernel }];
}

function putStep(kernel: PutStep['kernel'], { file, sha256, size, mode, mtime }: FileOnDisk): PutStep {
  return { do: 'put', place: 'active', kernel, file, sha256, size, mode: mode & 0o777, mtime };
}

function receiptOf({ action, verified, modules, package: pkg, url }: StagedPatch, context: StepContext): Receipt {
  const { name, epoch, version, release, arch } = verified.pkg.nevra;
  return {
    format: RECEIPT_FORMAT,
    kernel: action.kernel,
    package: { name, epoch, version, release, arch },
    repo: pkg.repo,
    url,
    signer: verified.signer,
    packageSha256: verified.sha256,
    files: modules.map(({ file, module, size, sha256 }) => ({ file, module, size, sha256 })),
    installedAt: context.time,
    by: context.version,
    askedBy: context.askedBy,
    registered: false,
  };
}
