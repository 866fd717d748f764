// `Requires: rpmlib(...)`: what a reader of the package must be able to do. What is not in this list may change how the
// payload or the header is to be read, so the package is refused, as rpm refuses it.
// Source: rpm's manual on dependencies (rpmlib() features); names as rpmbuild writes them.
import type { RpmHeader } from './header.ts';
import { refused } from './malformed.ts';
import { TAG } from './tags.ts';

/** ShortCircuited is missing on purpose: rpmbuild --short-circuit marks its packages with it to keep them from use. */
const KNOWN = new Set(
  [
    ...['VersionedDependencies', 'CompressedFileNames', 'PayloadFilesHavePrefix', 'ExplicitPackageProvide'],
    ...['PayloadIsBzip2', 'PayloadIsLzma', 'PayloadIsXz', 'PayloadIsZstd', 'HeaderLoadSortsTags', 'LargeFiles'],
    ...['ScriptletInterpreterArgs', 'PartialHardlinkSets', 'ConcurrentAccess', 'BuiltinLuaScripts', 'FileDigests'],
    ...[
      'FileCaps',
      'ScriptletExpansion',
      'TildeInVersions',
      'CaretInVersions',
      'RichDependencies',
      'DynamicBuildRequires',
    ],
  ].map((feature) => `rpmlib(${feature})`),
);

/** Raises `rpm-unsupported` when the package needs a feature of rpm that this reader does not know. */
export function checkFeatures(header: RpmHeader): void {
  const unknown = header.texts(TAG.requireName).find((name) => name.startsWith('rpmlib(') && !KNOWN.has(name));
  if (unknown !== undefined) {
    throw refused('rpm-unsupported', `The package needs ${unknown}, which kpatch-pm does not know.`, unknown);
  }
}
