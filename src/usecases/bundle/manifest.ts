// The manifest of a bundle: what is in it, for which kernels, from which repositories, with the digest of every file.
// It is the first file of the archive; everything behind it must be exactly what it says.
import { kernelRelease } from '../../domain/kernel.ts';
import { KpmError } from '../../errors.ts';
import { checkName } from '../../formats/tar/entry.ts';

/** Raised when a reader of the format before would misunderstand it. */
export const BUNDLE_FORMAT = 1;
export const MANIFEST = 'manifest.json';
export const SIGNATURE = 'manifest.json.asc';
export const REPOMD = 'repodata/repomd.xml';

export interface BundleFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

export interface BundlePackage {
  /** In `files` too. */
  readonly path: string;
  readonly nevra: string;
  /** The kernel it is for: `uname -r`. */
  readonly kernel: string;
  /** The repository it came from. */
  readonly repo: string;
  /** Fingerprint of the key that signed it; null: nobody did, and the maker of the bundle allowed that. */
  readonly signer: string | null;
}

export interface BundleKey {
  readonly path: string;
  readonly fingerprint: string;
  readonly owner: string;
  /** What it signs. */
  readonly use: 'packages' | 'bundle';
}

export interface BundleRepository {
  readonly id: string;
  readonly name: string;
  /** As configured, without credentials. */
  readonly url: string;
  /** When its metadata was made, ISO time; null: it does not say. */
  readonly made: string | null;
  /** Fingerprint of the key that signed its metadata; null: no signature was asked for. */
  readonly signer: string | null;
}

export interface Manifest {
  readonly format: number;
  readonly kind: 'kpatch-pm-bundle';
  /** When the newest of the metadata was made, ISO time: the time of everything in the archive. */
  readonly made: string;
  readonly levels: 'newest' | 'all';
  readonly kernels: readonly string[];
  readonly repositories: readonly BundleRepository[];
  readonly packages: readonly BundlePackage[];
  readonly keys: readonly BundleKey[];
  /** Ids. */
  readonly advisories: readonly string[];
  /** Every file behind the manifest and its signature, in the order of the archive. */
  readonly files: readonly BundleFile[];
}

/** The manifest as it stands in the archive. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function malformed(why: string, code: 'bundle-malformed' | 'bundle-format' = 'bundle-malformed'): KpmError {
  return new KpmError(code, {
    text: `The bundle cannot be used: its manifest ${why}.`,
    subject: MANIFEST,
    hint:
      code === 'bundle-format'
        ? 'Use the version of kpatch-pm that made it, or a newer one.'
        : 'Have the bundle made and carried again; what was sent as one is damaged or hostile.',
  });
}

type Plain = Record<string, unknown>;

/** Reads a manifest; every field is checked. Raises `bundle-malformed`, `bundle-format`, `bundle-entry-refused`. */
export function readManifest(bytes: Buffer): Manifest {
  const value = parsed(bytes);
  if (value.kind !== 'kpatch-pm-bundle') throw malformed('is none of a kpatch-pm bundle');
  if (value.format !== BUNDLE_FORMAT) {
    throw malformed(
      `has format ${JSON.stringify(value.format)}, and this version reads ${BUNDLE_FORMAT}`,
      'bundle-format',
    );
  }
  if (value.levels !== 'newest' && value.levels !== 'all') throw malformed('does not say which levels it has');
  const files = list(value, 'files').map((one) => ({
    path: name(one, 'path'),
    size: size(one),
    sha256: matching(one, 'sha256', /^[0-9a-f]{64}$/),
  }));
  const known = new Set(files.map(({ path }) => path));
  if (known.size !== files.length) throw malformed('lists a file twice');
  if (known.has(MANIFEST) || known.has(SIGNATURE)) throw malformed('lists itself');
  if (!known.has(REPOMD)) throw malformed(`does not list ${REPOMD}`);
  const inside = (path: string): string => {
    if (!known.has(path)) throw malformed(`names ${JSON.stringify(path)}, but does not list it`);
    return path;
  };
  return {
    format: BUNDLE_FORMAT,
    kind: 'kpatch-pm-bundle',
    made: time(value, 'made'),
    levels: value.levels,
    kernels: strings(value, 'kernels').map(kernel),
    repositories: list(value, 'repositories').map((one) => ({
      id: text(one, 'id'),
      name: text(one, 'name'),
      url: text(one, 'url'),
      made: one.made === null ? null : time(one, 'made'),
      signer: one.signer === null ? null : fingerprint(one, 'signer'),
    })),
    packages: list(value, 'packages').map((one) => ({
      path: inside(name(one, 'path')),
      nevra: text(one, 'nevra'),
      kernel: kernel(text(one, 'kernel')),
      repo: text(one, 'repo'),
      signer: one.signer === null ? null : fingerprint(one, 'signer'),
    })),
    keys: list(value, 'keys').map((one) => ({
      path: inside(name(one, 'path')),
      fingerprint: fingerprint(one, 'fingerprint'),
      owner: text(one, 'owner'),
      use: matching(one, 'use', /^(?:packages|bundle)$/) as BundleKey['use'],
    })),
    advisories: strings(value, 'advisories'),
    files,
  };
}

function parsed(bytes: Buffer): Plain {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Plain;
  } catch {
    // Told below: where JSON breaks off helps nobody.
  }
  throw malformed('is no JSON object');
}

/** Texts are shown and compared, never used as a path or command: control characters are taken out where they are printed. */
function text(of: Plain, key: string): string {
  const value = of[key];
  if (typeof value !== 'string' || value.length > 1000) throw malformed(`has no sound ${key}`);
  return value;
}

function matching(of: Plain, key: string, pattern: RegExp): string {
  const value = text(of, key);
  if (!pattern.test(value)) throw malformed(`has no sound ${key}: ${JSON.stringify(value.slice(0, 100))}`);
  return value;
}

const fingerprint = (of: Plain, key: string): string => matching(of, key, /^[0-9A-F]{40,64}$/);
const time = (of: Plain, key: string): string => matching(of, key, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

function name(of: Plain, key: string): string {
  const value = text(of, key);
  checkName(value);
  return value;
}

function size(of: Plain): number {
  const { size: value } = of;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw malformed('has a size that is none');
  return value;
}

function kernel(release: string): string {
  if (kernelRelease(release) === null) throw malformed(`names the kernel ${JSON.stringify(release.slice(0, 100))}`);
  return release;
}

const MAX_LIST = 20_000;

function array(of: Plain, key: string): unknown[] {
  const value = of[key];
  if (!Array.isArray(value) || value.length > MAX_LIST) throw malformed(`has no sound list of ${key}`);
  return value;
}

function list(of: Plain, key: string): Plain[] {
  return array(of, key).map((one) => {
    if (typeof one !== 'object' || one === null || Array.isArray(one)) throw malformed(`has an odd entry in ${key}`);
    return one as Plain;
  });
}

function strings(of: Plain, key: string): string[] {
  return array(of, key).map((one) => text({ one }, 'one'));
}
