// One <package> entry of primary.xml -> values. Source: the files createrepo_c writes (its xml_dump_primary.c for the order
// and the meaning of the attributes).
import type { Comparison, Dependency, OfferedKernel, OfferedPackage } from '../../domain/package.ts';
import { KpmError } from '../../errors.ts';
import { strongChecksum, type WrittenChecksum } from './checksum.ts';
import { attribute, child, children, count, type Element, textOf } from './element.ts';
import { find, needle } from './needle.ts';

/** An offer as it is kept: without the id and exclude rules of its repository, which belong to the configuration. */
export type StoredPackage = Omit<OfferedPackage, 'repo' | 'excludedBy'>;

/** What primary.xml says about one package. `href` null: it cannot be fetched. */
export interface PackageEntry extends Omit<StoredPackage, 'href' | 'checksum'> {
  readonly href: string | null;
  readonly checksum: WrittenChecksum | null;
}

/** A kernel entry, read cheaply. */
export type KernelEntry = Omit<OfferedKernel, 'repo' | 'excludedBy'>;

const COMPARISONS: readonly string[] = ['EQ', 'LT', 'LE', 'GT', 'GE'];

/** Printable, no blank, no slash: they become words of commands and parts of paths. Source: rpm's own checks of these tags. */
const WORD = /^[\x21-\x2e\x30-\x7e]*$/;

/** The values of one entry. Raises `primary-malformed`. */
export function packageEntry(document: Element, what: string): PackageEntry {
  const entry = child(document, 'package');
  const version = child(entry, 'version');
  const name = textOf(entry, 'name')?.trim();
  const arch = textOf(entry, 'arch')?.trim();
  const ver = attribute(version, 'ver');
  if (!name || !arch || ver === null) {
    throw new KpmError('primary-malformed', {
      text: `${what} lists a package without name, architecture or version.`,
      subject: what,
      hint: 'Tell whoever runs the repository.',
    });
  }
  const identity = [name, arch, ver, attribute(version, 'rel') ?? ''];
  const odd = identity.find((text) => !WORD.test(text) || text.length > 255);
  if (odd !== undefined) {
    throw new KpmError('primary-malformed', {
      text: `${what} lists a package whose name, version or architecture no package can have: ${JSON.stringify(odd.slice(0, 80))}.`,
      subject: what,
      hint: 'Tell whoever runs the repository.',
    });
  }
  const location = child(entry, 'location');
  const format = child(entry, 'format');
  const size = child(entry, 'size');
  const checksum = child(entry, 'checksum');
  const type = attribute(checksum, 'type');
  return {
    name,
    arch,
    epoch: count(attribute(version, 'epoch')) ?? 0,
    version: ver,
    release: attribute(version, 'rel') ?? '',
    href: attribute(location, 'href'),
    base: attribute(location, 'base'),
    size: count(attribute(size, 'package')),
    installedSize: count(attribute(size, 'installed')),
    buildTime: moment(attribute(child(entry, 'time'), 'build')),
    fileTime: moment(attribute(child(entry, 'time'), 'file')),
    checksum: type === null ? null : { type: type.toLowerCase(), value: textOf(entry, 'checksum')?.trim() ?? '' },
    summary: (textOf(entry, 'summary') ?? '').trim(),
    provides: dependencies(format, 'provides'),
    requires: dependencies(format, 'requires'),
    conflicts: dependencies(format, 'conflicts'),
    obsoletes: dependencies(format, 'obsoletes'),
    files: children(format, 'file').map((file) => String(file['#text'] ?? '')),
  };
}

/** The end of the year 9999: what lies behind it is no time that can be told. */
const LAST_MOMENT = 253_402_300_799;

/** Seconds since 1970. */
function moment(text: string | null): number | null {
  const seconds = count(text);
  return seconds !== null && seconds <= LAST_MOMENT ? seconds : null;
}

function dependencies(format: Element | null, kind: string): Dependency[] {
  return children(child(format, kind), 'entry').flatMap((entry) => dependency(entry) ?? []);
}

function dependency(entry: Element): Dependency | null {
  const name = attribute(entry, 'name');
  if (name === null) return null;
  const flags = attribute(entry, 'flags');
  const version = attribute(entry, 'ver');
  if (flags === null || version === null || !COMPARISONS.includes(flags)) return { name, flags: null, evr: null };
  const epoch = attribute(entry, 'epoch');
  const release = attribute(entry, 'rel');
  const evr = `${epoch === null || epoch === '0' ? '' : `${epoch}:`}${version}${release === null ? '' : `-${release}`}`;
  return { name, flags: flags as Comparison, evr };
}

/**
 * Of a kernel package's entry the `uname -r`, and the text of its head, an entry of its own; null where it is no kernel.
 * Kernel entries have thousands of provides: the one that counts is searched for, and only the head is made text.
 */
export function kernelHead(entry: Buffer): { readonly uname: string; readonly head: string } | null {
  const uname = unameOf(entry);
  if (uname === null) return null;
  const format = find(entry, FORMAT, 0);
  return { uname, head: format < 0 ? entry.toString('utf8') : `${entry.toString('utf8', 0, format)}</package>` };
}

/** A kernel by the values of its entry; null for sources. */
export function kernelEntry(entry: PackageEntry, uname: string): KernelEntry | null {
  const { name, epoch, version, release, arch } = entry;
  return arch === 'src' || arch === 'nosrc' ? null : { name, epoch, version, release, arch, uname };
}

const FORMAT = needle('<format>', 2);
const PROVIDES = needle('provides>', 3);
const PROVIDED = needle('kernel-uname-r', 6);
/** Longest part of a tag before `provides>`. */
const BEFORE = 23;
/** No element of a dependency is longer. */
const MAX_TAG = 4096;

/** Where a tag of the provides begins; searched by its end, for a word is found faster than a pattern. */
function tagOfProvides(entry: Buffer, begin: RegExp, from: number): number {
  for (let at = find(entry, PROVIDES, from); at >= 0; at = find(entry, PROVIDES, at + PROVIDES.whole.length)) {
    const found = begin.exec(entry.toString('latin1', Math.max(from, at - BEFORE), at))?.[0];
    if (found !== undefined) return at - found.length;
  }
  return -1;
}

/** The version of the provide `kernel-uname-r`. Every byte is looked at once, whatever is written. */
function unameOf(entry: Buffer): string | null {
  const start = tagOfProvides(entry, /<(?:\w{1,20}:)?$/, 0);
  const end = start < 0 ? -1 : tagOfProvides(entry, /<\/(?:\w{1,20}:)?$/, start);
  if (end < 0) return null;
  const provides = entry.subarray(start, end);
  for (let at = find(provides, PROVIDED, 0); at >= 0; at = find(provides, PROVIDED, at + PROVIDED.whole.length)) {
    const before = Math.max(0, at - MAX_TAG);
    const open = provides.subarray(before, at).lastIndexOf('<');
    const close = provides.subarray(at, at + MAX_TAG).indexOf('>');
    if (open < 0 || close < 0) continue;
    const tag = provides.toString('utf8', before + open, at + close + 1);
    if (!/^<(?:\w{1,20}:)?entry\s/.test(tag) || !/\bname=["']kernel-uname-r["']/.test(tag)) continue;
    const version = /\sver=["']([^"'&]+)["']/.exec(tag)?.[1];
    const release = /\srel=["']([^"'&]+)["']/.exec(tag)?.[1];
    if (version) return release ? `${version}-${release}` : version;
  }
  return null;
}

/** The entry as an offer of its repository; null when it has no location. A checksum that is not strong counts as none. */
export function offer(entry: PackageEntry): StoredPackage | null {
  return entry.href === null ? null : { ...entry, href: entry.href, checksum: strongChecksum(entry.checksum) };
}
