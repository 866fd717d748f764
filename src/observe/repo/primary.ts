// primary.xml as a stream -> the few packages that can matter.
import { KpmError } from '../../errors.ts';
import { keepHeapYoung } from '../../host/heap.ts';
import type { Element } from './element.ts';
import { find } from './needle.ts';
import {
  type KernelEntry,
  kernelEntry,
  kernelHead,
  offer,
  type PackageEntry,
  packageEntry,
  type StoredPackage,
} from './package.ts';
import { readPlain } from './plain.ts';
import { INTEREST, scanPackages, trustworthy } from './scan.ts';
import { strictPackages } from './strict.ts';
import { LISTS, xmlReader } from './xml.ts';

/** What is kept of a repository. */
export interface Contents {
  readonly packages: readonly StoredPackage[];
  readonly kernels: readonly KernelEntry[];
}

/** Far above any vendor's repository: a hostile list must not fill the memory. */
const MAX_KEPT = 20_000;
const MAX_KEPT_BYTES = 48 * 1024 * 1024;
const MAX_ENTRY_BYTES = 4 * 1024 * 1024;

const LIVE_PATCH = 'kpatch-patch';
/** Debugging symbols and sources are never installed by anybody's policy. */
const NEVER = /-debug(?:info|source)$/;

/** The uncompressed bytes from the start, and the judgement over them once they were read. */
export interface Reading {
  readonly stream: AsyncIterable<Buffer>;
  /** Raises where the bytes are not what was promised. */
  check(): void;
}

/**
 * Reads a primary.xml to its end: fast where its shape is the usual one, else once more by a strict parser.
 * Raises `primary-malformed`, `too-large`, and what `open` and its reading raise.
 */
export async function readPrimary(open: () => Promise<Reading>, what: string): Promise<Contents> {
  const quick = collector(what);
  const first = await open();
  keepHeapYoung();
  let sound = true;
  const result = await scanPackages(first.stream, INTEREST, (slice) => {
    sound &&= fits(() => quick.slice(slice));
  });
  first.check();
  if (sound && trustworthy(result)) {
    const contents = await quick.contents().catch(misread);
    if (contents !== null) return contents;
  }
  // Comments, CDATA, a wrong count or an unusual way of writing: only a real parser can tell what is a package here.
  const slow = collector(what);
  const second = await open();
  await strictPackages(second.stream, what, (text) => slow.entry(text));
  second.check();
  return slow.contents();
}

/** Nothing, for what does not parse: it may have been cut at the wrong place. Other errors are raised again. */
function misread(error: unknown): null {
  if (error instanceof KpmError && error.code === 'primary-malformed') return null;
  throw error;
}

/** Whether it went well. */
function fits(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    return misread(error) !== null;
  }
}

interface Collector {
  slice(bytes: Buffer): void;
  entry(text: string): void;
  /** Everything taken; entries that are not of the plainest kind are read now, for only they need the real parser. */
  contents(): Promise<Contents>;
}

function collector(what: string): Collector {
  const packages: StoredPackage[] = [];
  const kernels: KernelEntry[] = [];
  const left: { readonly text: string; readonly use: (document: Element) => void }[] = [];
  let bytes = 0;
  const guard = (size: number): void => {
    bytes += size;
    if (
      size > MAX_ENTRY_BYTES ||
      bytes > MAX_KEPT_BYTES ||
      packages.length + kernels.length + left.length >= MAX_KEPT
    ) {
      throw new KpmError('too-large', {
        text: `${what} lists more live patches and kernels than is sensible.`,
        subject: what,
        hint: 'Tell whoever runs the repository; nothing of it was taken.',
      });
    }
  };
  const read = (text: string, use: (document: Element) => void): void => {
    const document = readPlain(text, LISTS);
    if (document === null) {
      guard(text.length);
      left.push({ text, use });
    } else use(document);
  };
  const full = (text: string): void => {
    guard(text.length);
    read(text, (document) => {
      const entry = packageEntry(document, what);
      const kept = matters(entry) ? offer(entry) : null;
      if (kept !== null) packages.push(kept);
    });
  };
  const kernel = (bytes: Buffer): void => {
    const found = kernelHead(bytes);
    if (found === null) return;
    guard(0);
    read(found.head, (document) => {
      const entry = kernelEntry(packageEntry(document, what), found.uname);
      if (entry !== null) kernels.push(entry);
    });
  };
  const take = (name: string, mentions: boolean, bytes: Buffer): void => {
    if (NEVER.test(name)) return;
    const plainKernel = name.startsWith('kernel') && !name.startsWith('kernel-livepatch');
    if (plainKernel) kernel(bytes);
    if (!plainKernel || mentions) full(bytes.toString('utf8'));
  };
  return {
    slice(slice) {
      const name = /<name>\s*([^<\s]*)/.exec(slice.toString('latin1', 0, 1024))?.[1] ?? '';
      take(name, find(slice, INTEREST.mentions, 0) >= 0, slice);
    },
    entry(text) {
      const name = /<name>\s*([^<\s]*)/.exec(text)?.[1] ?? '';
      const mentions = text.includes(LIVE_PATCH);
      if (mentions || INTEREST.nameStarts.some((start) => name.startsWith(start)))
        take(name, mentions, Buffer.from(text));
    },
    async contents() {
      if (left.length > 0) {
        const xml = await xmlReader();
        for (const { text, use } of left.splice(0)) use(xml.strictly(text, what, 'primary-malformed'));
      }
      return { packages, kernels };
    },
  };
}

/** Live patches by name, the kpatch utility and what belongs to it, and whoever has a dependency on a live patch. */
function matters(entry: PackageEntry): boolean {
  if (entry.arch === 'src' || entry.arch === 'nosrc') return false;
  if (entry.name.startsWith('kpatch') || entry.name.startsWith('kernel-livepatch-')) return true;
  const lists = [entry.provides, entry.requires, entry.conflicts, entry.obsoletes];
  return lists.some((list) => list.some((dependency) => dependency.name.startsWith(LIVE_PATCH)));
}
