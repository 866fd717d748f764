// The steps of what kpatch-pm does to one kernel, in the order that never leaves a kernel without a patch it had:
// new in, rpm told, payload, receipt; only then the superseded out.
import { createHash } from 'node:crypto';
import path from 'node:path';
import type { KernelRelease } from '../domain/kernel.ts';
import { type InstalledPatch, supportOf } from '../domain/livepatch.ts';
import { formatNevra, type Nevra } from '../domain/nevra.ts';
import { type EarlierLevel, MAX_CHANGELOG, MAX_EARLIER, RECEIPT_FORMAT, type Receipt } from '../domain/receipt.ts';
import type { Hold } from '../domain/world.ts';
import { changelogFixes, cvesOf } from '../formats/rpm/fixes.ts';
import type { BlobSource, Blobs, DropStep, Place, PutStep, SettingStep, Step } from '../state/steps.ts';
import type { KeptFile } from './retired.ts';
import type { KeptModule, KeptPackage } from './spool.ts';

export interface Work {
  readonly steps: readonly Step[];
  readonly blobs: Blobs;
}

export interface InstallRequest {
  readonly kernel: KernelRelease;
  readonly verified: KeptPackage;
  /** What extractModules gave; empty for a subscription. */
  readonly modules: readonly KeptModule[];
  readonly repo: string;
  /** Without credentials. */
  readonly url: string | null;
  /** Installed patches of this kernel which the package supersedes (the same name, or obsoleted). */
  readonly replaces: readonly InstalledPatch[];
  readonly now: Date;
  readonly by: string;
  readonly askedBy: string;
  /** Tell the rpm database in the same transaction; false: later, by registerSteps, when the module was proven. */
  readonly register: boolean;
  /** Keep the bytes of what is superseded until a `forget` step, so that it can come back. */
  readonly keep: boolean;
  readonly downgrade?: boolean;
  /** The rpm database is to be told later: the receipt says so, that a later run can, should this one be killed. */
  readonly pending?: boolean;
  /** The receipt of the level that returns should the kernel refuse this one (null: it has none); absent: nothing returns. */
  readonly before?: Receipt | null;
  /** The levels before this one, as their receipts have them. */
  readonly earlier?: readonly EarlierLevel[];
}

const putStep = (place: Place, kernel: KernelRelease, module: KeptModule, ifRegistered: string | null): PutStep => ({
  do: 'put',
  place,
  kernel,
  file: module.file,
  sha256: module.sha256,
  size: module.size,
  mode: module.mode,
  mtime: module.mtime,
  link: place === 'payload' ? module.link : null,
  ifRegistered,
});

type Registering = Pick<InstallRequest, 'kernel' | 'verified' | 'modules' | 'downgrade'> & {
  readonly replaces: readonly Pick<InstalledPatch, 'file'>[];
};

/** The files of superseded patches that the new package does not bring itself. */
function supersededFiles({ replaces, modules }: Pick<Registering, 'replaces' | 'modules'>): string[] {
  const fresh = new Set(modules.map(({ file }) => file));
  const names = replaces.flatMap(({ file }) => (file === null ? [] : [path.posix.basename(file)]));
  return [...new Set(names)].filter((name) => !fresh.has(name));
}

/** Registration and the package's own payload: what makes `rpm -q` and `rpm -V` tell the truth. */
function registration(request: Registering): { before: Step[]; after: Step[]; blobs: [string, BlobSource][] } {
  const { kernel, verified, modules } = request;
  const { nevra, source } = verified;
  const ifRegistered = formatNevra(nevra);
  return {
    before: [
      {
        do: 'register',
        kernel,
        nevra,
        sha256: verified.sha256,
        size: source.size,
        downgrade: request.downgrade ?? false,
      },
      ...modules.map((module) => putStep('payload', kernel, module, ifRegistered)),
    ],
    after: supersededFiles(request).map((file) => dropStep('payload', kernel, file, false, ifRegistered)),
    blobs: [[verified.sha256, source]],
  };
}

const dropStep = (
  place: Place,
  kernel: KernelRelease,
  file: string,
  keep: boolean,
  ifRegistered: string | null,
): DropStep => ({ do: 'drop', place, kernel, file, keep, ifRegistered });

/** The receipt of a package as it will be written; `registered` is set by what the rpm database answers. */
export function receiptOf(request: Omit<InstallRequest, 'replaces' | 'register' | 'keep'>): Receipt {
  const { kernel, verified, modules } = request;
  const { name, epoch, version, release, arch } = verified.nevra;
  return {
    format: RECEIPT_FORMAT,
    kernel,
    package: { name, epoch, version, release, arch },
    repo: request.repo,
    url: request.url,
    signer: verified.signer,
    packageSha256: verified.sha256,
    files: modules.map(({ file, module, size, sha256 }) => ({ file, module, size, sha256 })),
    installedAt: request.now.toISOString(),
    by: request.by,
    askedBy: request.askedBy,
    registered: false,
    ...(request.pending ? { registration: 'pending' } : {}),
    ...(request.before === undefined ? {} : { before: request.before && proven(request.before) }),
    changelog: keptChangelog(verified),
    ...(supportOf(verified.provides) === 'own' ? { support: 'own' } : {}),
    earlier: request.earlier ?? [],
  };
}

/** The receipt of a level that stays: nothing returns in its place any more. */
export function proven({ before: _, ...receipt }: Receipt): Receipt {
  return receipt;
}

/** The newest entries of the package's changelog, as many as are kept. */
function keptChangelog({ changelog }: KeptPackage): NonNullable<Receipt['changelog']> {
  let room = MAX_CHANGELOG;
  return changelog
    .map(({ time, author, text }) => ({ time, author, text }))
    .filter(({ author, text }) => {
      room -= author.length + text.length;
      return room >= 0;
    });
}

/** What is remembered of the level a receipt is about, and of those before it, once another level takes its place. */
export function earlierOf(before: Receipt | null): EarlierLevel[] {
  if (before === null) return [];
  const { package: nevra, signer, files, changelog = [], earlier = [] } = before;
  const modules = files.map(({ module }) => module);
  const cves = cvesOf(changelogFixes(changelog));
  return [{ package: nevra, signer, modules, cves }, ...earlier].slice(0, MAX_EARLIER);
}

/** Installs (or upgrades to) one package for one kernel; an empty one is recorded and registered only. */
export function installSteps(request: InstallRequest): Work {
  const { kernel, modules, verified } = request;
  const telling = request.register ? registration(request) : { before: [], after: [], blobs: [] };
  const others = new Set(request.replaces.flatMap((patch) => (patch.package === null ? [] : [patch.package.name])));
  others.delete(verified.nevra.name);
  return {
    steps: [
      ...modules.map((module) => putStep('active', kernel, module, null)),
      ...telling.before,
      { do: 'receipt', receipt: receiptOf(request) },
      ...supersededFiles(request).map((file) => dropStep('active', kernel, file, request.keep, null)),
      ...telling.after,
      ...[...others].map((name): Step => ({ do: 'unreceipt', kernel, name })),
    ],
    blobs: new Map([...modules.map(({ sha256, source }): [string, BlobSource] => [sha256, source]), ...telling.blobs]),
  };
}

/**
 * The work for several kernels as one transaction. The steps of each keep their order; between them stands what all do at the
 * same point: every module arrives before rpm is told of all packages at once, and that before anything is taken away.
 */
export function mergedWork(works: readonly Work[]): Work {
  const steps = works.flatMap((work) => work.steps);
  const points = [...new Set(steps.map(pointOf))].sort((a, b) => a - b);
  return {
    steps: points.flatMap((point) => steps.filter((step) => pointOf(step) === point)),
    blobs: new Map(works.flatMap(({ blobs }) => [...blobs])),
  };
}

/** At which point of an install a step stands; installSteps gives them in this order. */
function pointOf(step: Step): number {
  if (step.do === 'put') return step.place === 'active' ? 0 : 2;
  if (step.do === 'register') return 1;
  if (step.do === 'receipt') return 2;
  return step.do === 'drop' || step.do === 'unreceipt' ? 3 : 4;
}

/** The second half of an install that registers only after the module was proven; `receipt` is the one already written. */
export function registerSteps(request: Registering & { readonly receipt: Receipt }): Work {
  const telling = registration(request);
  const kept: Step[] = [{ do: 'forget', kernel: request.kernel }];
  return {
    steps: [...telling.before, { do: 'receipt', receipt: request.receipt }, ...telling.after, ...kept],
    blobs: new Map([
      ...request.modules.map(({ sha256, source }): [string, BlobSource] => [sha256, source]),
      ...telling.blobs,
    ]),
  };
}

export interface RemoveRequest {
  readonly kernel: KernelRelease;
  readonly package: Nevra;
  /** What is installed of this package: its entries of installedPatches. */
  readonly patches: readonly InstalledPatch[];
  /** Recorded so that `auto` does not bring it back; null: no hold. */
  readonly hold: Hold | null;
}

/** Takes a package away from one kernel: files, rpm database, receipt. */
export function removeSteps(request: RemoveRequest): Work {
  const { kernel, package: nevra, patches, hold } = request;
  const files = patches.flatMap(({ file }) => (file === null ? [] : [path.posix.basename(file)]));
  return {
    steps: [
      ...(hold ? [{ do: 'hold', hold } as const] : []),
      ...files.map((file) => dropStep('active', kernel, file, false, null)),
      { do: 'unregister', kernel, nevra },
      ...files.map((file) => dropStep('payload', kernel, file, false, null)),
      { do: 'unreceipt', kernel, name: nevra.name },
    ],
    blobs: new Map(),
  };
}

/**
 * Puts back the level before (its receipt is in that of the failed one, its files are those that `keep` kept), and takes the
 * failed level away.
 */
export function restoreSteps(failed: Receipt, kept: readonly KeptFile[]): Work {
  const { kernel, before = null } = failed;
  const back = new Set(kept.map(({ file }) => file));
  const gone = failed.files.filter(({ file }) => !back.has(file));
  const receipt: Step[] = before ? [{ do: 'receipt', receipt: before }] : [];
  if (before?.package.name !== failed.package.name)
    receipt.push({ do: 'unreceipt', kernel, name: failed.package.name });
  return {
    steps: [
      ...kept.map((file): PutStep => ({ do: 'put', place: 'active', kernel, link: null, ifRegistered: null, ...file })),
      ...receipt,
      ...gone.map(({ file }) => dropStep('active', kernel, file, false, null)),
      { do: 'forget', kernel },
    ],
    blobs: new Map(),
  };
}

/** Replaces a configuration file: `before` is its text as read (null: there was none), `text` the new one; one character a byte (latin1), so that a comment in any encoding survives. */
export function settingStep(file: string, before: string | null, text: string): SettingStep {
  const hash = before === null ? null : createHash('sha256').update(before, 'latin1').digest('hex');
  return { do: 'setting', path: file.replace(/^\/+/, ''), before: hash, text, mode: 0o644 };
}
