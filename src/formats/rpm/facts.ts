// What a package says about itself, as values: for deciding, for receipts, for `inspect`.
import type { Nevra } from '../../domain/nevra.ts';
import type { Comparison, Dependency } from '../../domain/package.ts';
import { type HeaderFile, headerFiles } from './files.ts';
import type { RpmHeader } from './header.ts';
import { malformed } from './malformed.ts';
import type { RpmPackage } from './package.ts';
import { SCRIPTLETS, TAG } from './tags.ts';

export interface ChangelogEntry {
  /** Seconds since 1970. */
  readonly time: number;
  readonly author: string;
  readonly text: string;
}

export interface PackageFacts {
  readonly nevra: Nevra;
  /** Whether the header names an epoch at all: `0` and none compare alike, but print differently. */
  readonly epochGiven: boolean;
  readonly summary: string;
  /** File name of the source package; null for a source package. */
  readonly sourceRpm: string | null;
  readonly requires: Dependency[];
  readonly provides: Dependency[];
  readonly conflicts: Dependency[];
  readonly obsoletes: Dependency[];
  readonly files: HeaderFile[];
  /** Newest first. */
  readonly changelog: ChangelogEntry[];
  /** Seconds since 1970; null when the header does not say. */
  readonly buildTime: number | null;
  /** Bytes when installed; null when the header does not say. */
  readonly installedSize: number | null;
  /** Names of the scriptlets present (`postinstall` ...), which kpatch-pm never runs. */
  readonly scripts: string[];
  readonly payloadFormat: string;
  /** As the header says; null when it does not. */
  readonly payloadCompressor: string | null;
}

/** Bits 1 to 3 of a dependency's flags (RPMSENSE_LESS 2, GREATER 4, EQUAL 8). */
const COMPARISONS: Readonly<Record<number, Comparison>> = { 2: 'LT', 4: 'GT', 8: 'EQ', 10: 'LE', 12: 'GE' };

function dependencies(header: RpmHeader, nameTag: number, flagTag: number, versionTag: number): Dependency[] {
  const names = header.texts(nameTag);
  const flags = header.numbers(flagTag);
  const versions = header.texts(versionTag);
  for (const list of [flags, versions]) {
    // Very old packages list Provides and Obsoletes by name alone.
    if (list.length > 0 && list.length !== names.length)
      throw malformed(`tag ${nameTag} and its versions differ in count`);
  }
  return names.map((name, n) => {
    const comparison = COMPARISONS[(flags[n] ?? 0) & 14] ?? null;
    const evr = versions[n] ?? '';
    return { name, flags: comparison, evr: comparison === null || evr === '' ? null : evr };
  });
}

function changelog(header: RpmHeader): ChangelogEntry[] {
  const times = header.numbers(TAG.changelogTime);
  const authors = header.texts(TAG.changelogName);
  const texts = header.texts(TAG.changelogText);
  return times.map((time, n) => ({ time, author: authors[n] ?? '', text: texts[n] ?? '' }));
}

/** The facts of a package. Raises `rpm-malformed` and what headerFiles raises. */
export function packageFacts(pkg: RpmPackage): PackageFacts {
  const { header } = pkg;
  return {
    nevra: pkg.nevra,
    epochGiven: header.has(TAG.epoch),
    summary: header.text(TAG.summary) ?? '',
    sourceRpm: header.text(TAG.sourceRpm),
    requires: dependencies(header, TAG.requireName, TAG.requireFlags, TAG.requireVersion),
    provides: dependencies(header, TAG.provideName, TAG.provideFlags, TAG.provideVersion),
    conflicts: dependencies(header, TAG.conflictName, TAG.conflictFlags, TAG.conflictVersion),
    obsoletes: dependencies(header, TAG.obsoleteName, TAG.obsoleteFlags, TAG.obsoleteVersion),
    files: headerFiles(header),
    changelog: changelog(header),
    buildTime: header.number(TAG.buildTime),
    installedSize: header.number(TAG.longSize) ?? header.number(TAG.size),
    scripts: SCRIPTLETS.filter(([, ...tags]) => tags.some((tag) => header.has(tag))).map(([name]) => name),
    payloadFormat: header.text(TAG.payloadFormat) ?? 'cpio',
    payloadCompressor: header.text(TAG.payloadCompressor),
  };
}
