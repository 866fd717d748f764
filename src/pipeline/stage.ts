// Fetch, verify, extract: from a planned package to bytes that may be installed. Nothing of the machine changes here
// but the cache, the spool, and the keys a person consents to.

import { CONTENT_FAULTS, type Extracted, extractModules } from '../apply/extract.ts';
import type { Fetched } from '../apply/fetch.ts';
import type { Kept } from '../apply/spool.ts';
import { because } from '../domain/because.ts';
import { compareEvr } from '../domain/evr.ts';
import { formatNevra } from '../domain/nevra.ts';
import type { OfferedPackage } from '../domain/package.ts';
import type { InstallAction, Rejection } from '../domain/plan.ts';
import { type ErrorCode, KpmError } from '../errors.ts';
import { parseRpm, type RpmPackage } from '../formats/rpm/package.ts';
import type { Ui } from '../host/machine.ts';
import type { Downloads } from './download.ts';
import { fetchOffered } from './fetch.ts';
import type { Observed } from './observed.ts';
import type { Trustees } from './trust.ts';

/** A level that was fetched, verified and read out. */
export interface StagedLevel {
  readonly action: InstallAction;
  /** The level that is really taken: the planned one, or one it stepped down to. */
  readonly package: OfferedPackage;
  /** Where it came from, without credentials. */
  readonly url: string | null;
  /** Levels whose files proved unusable. */
  readonly steppedOver: readonly Rejection[];
}

/** One that may be installed. */
export type StagedPatch = StagedLevel & Kept;

/** What staging works with; `K` is what stays of a package. */
export interface Staging<K> {
  readonly observed: Observed;
  readonly trustees: Trustees;
  /** What the download phase came to, where there was one; a level below the planned one is fetched when it is tried. */
  readonly downloads?: Downloads;
  /** Takes over what was extracted. */
  readonly keep: (extracted: Extracted) => K | Promise<K>;
  readonly ui: Ui;
}

/**
 * The next level down may be sound. Faults of digest and signature are not among them; but a level by a key that is not
 * pinned must not keep the vendor's own levels away.
 */
const UNUSABLE: readonly ErrorCode[] = [...CONTENT_FAULTS, 'key-not-pinned'];

/**
 * Brings one planned package, or the next usable level below it, to the point where it can be installed.
 * Raises the codes of fetching, verifying and extracting,
 * and what `keep` raises; those of the planned level when every level is unusable.
 */
export async function stage<K>(staging: Staging<K>, action: InstallAction): Promise<StagedLevel & K> {
  const steppedOver: Rejection[] = [];
  let first: KpmError | null = null;
  for (const pkg of [action.package, ...action.fallbacks]) {
    try {
      const staged = await stageOne(staging, action, pkg);
      return { ...staged, action, steppedOver };
    } catch (error) {
      if (!(error instanceof KpmError) || !UNUSABLE.includes(error.code)) throw error;
      first ??= error;
      steppedOver.push({ nevra: formatNevra(pkg), repo: pkg.repo, because: because('unusable-file', error.message) });
      staging.ui.warn(`${error.message} The next level below is tried.`);
    }
  }
  throw first ?? new KpmError('internal', { text: `Nothing to stage for ${action.kernel}.` });
}

type One = Omit<StagedLevel, 'action' | 'steppedOver'>;

async function stageOne<K>(staging: Staging<K>, action: InstallAction, pkg: OfferedPackage): Promise<One & K> {
  const { observed, trustees, keep, ui } = staging;
  const { bytes, url } = await bytesOf(staging, pkg);
  const rpm = parseRpm(bytes);
  sameAsOffered(rpm, pkg);
  const signed = await trustees.verify(rpm, pkg.repo);
  if (signed.signer === null) shoutUnsigned(formatNevra(pkg), observed, ui);
  const extracted = await extractModules(signed, action.kernel, observed.machine.run.filter);
  return { ...(await keep(extracted)), package: pkg, url };
}

async function bytesOf({ observed, downloads, ui }: Staging<unknown>, pkg: OfferedPackage): Promise<Fetched> {
  const download = downloads?.take(pkg);
  if (download && 'error' in download) throw download.error;
  if (download && download.bytes !== null) return { bytes: download.bytes, url: download.url };
  const fetched = await fetchOffered(observed, pkg, ui);
  return { bytes: fetched.bytes, url: download?.url ?? fetched.url };
}

/** A package that is not what the metadata promised by that name is never installed, however well it is signed. */
function sameAsOffered(rpm: RpmPackage, pkg: OfferedPackage): void {
  const same = rpm.nevra.name === pkg.name && rpm.nevra.arch === pkg.arch && compareEvr(rpm.nevra, pkg) === 0;
  if (same && !rpm.source) return;
  throw new KpmError('package-renamed', {
    text: `${pkg.repo} offers ${formatNevra(pkg)}, but the file is ${rpm.source ? 'the source package ' : ''}${formatNevra(rpm.nevra)}.`,
    subject: formatNevra(pkg),
    hint: `Tell the owner of the repository ${pkg.repo}; refresh with: kpatch-pm makecache`,
  });
}

/** What runs in the kernel although nobody trusted signed it is said each time, with what permitted it (contract, section 2). */
export function shoutUnsigned(what: string, { config }: Observed, ui: Ui): void {
  const permission = config.kpm.allowUnsigned ? 'allow_unsigned=1 in kpatch-pm.conf' : '--nogpgcheck';
  ui.warn(
    `NOT VERIFIED: no trusted key signed ${what}; it is taken because of ${permission}. Its code runs in the kernel.`,
  );
}
