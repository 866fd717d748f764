// updateinfo.xml as a stream -> the advisories about kernels and live patches. The bytes are cut into <update> entries
// without parsing them; only entries that can matter are parsed. Where the shape is not the usual one (comments, CDATA,
// anything between entries) a strict parser reads it once more. Memory is one entry, whatever the file.
import { KpmError } from '../../errors.ts';
import type { Reading } from './primary.ts';
import { MAX_SLICE } from './scan.ts';
import { strictEntries } from './strict.ts';
import { parseUpdate, type StoredAdvisory } from './update.ts';
import type { XmlReader } from './xml.ts';

/** Far above any vendor's repository: a hostile list must not fill the memory. */
const MAX_KEPT = 20_000;
const MAX_KEPT_BYTES = 96 * 1024 * 1024;
/** Bytes searched at a time. */
const WINDOW = 512 * 1024;

const END = Buffer.from('</update>');
const START = Buffer.from('<update');
/** Any of these in an entry, and it deserves to be parsed. */
const WORDS = ['kpatch', '"kernel', "'kernel"].map((word) => Buffer.from(word));

const HEAD = /^(?:\ufeff|\u00ef\u00bb\u00bf)?\s*(?:<\?xml\s[^?>]*\?>)?\s*<updates(?:\s[^<>]*)?>\s*$/;
const TAIL = /^\s*<\/updates>\s*$/;
/** A file without any entry. */
const EMPTY = /^(?:\u00ef\u00bb\u00bf)?\s*(?:<\?xml\s[^?>]*\?>)?\s*<updates(?:\s[^<>]*)?(?:\/>|>\s*<\/updates>)\s*$/;

/**
 * Reads an updateinfo.xml to its end. Raises `updateinfo-malformed`, `too-large`, and what `open` and its reading raise.
 */
export async function readUpdateinfo(
  open: () => Promise<Reading>,
  what: string,
  xml: XmlReader,
): Promise<StoredAdvisory[]> {
  const quick = collector(what, xml);
  const first = await open();
  const sound = await scanUpdates(first.stream, quick.slice);
  first.check();
  if (sound) return quick.found;
  const slow = collector(what, xml);
  const second = await open();
  const shape = { root: 'updates', entry: 'update', code: 'updateinfo-malformed' } as const;
  await strictEntries(second.stream, what, shape, slow.entry);
  second.check();
  return slow.found;
}

interface Collector {
  readonly found: StoredAdvisory[];
  /** False: it does not parse, so it may have been cut at the wrong place. */
  slice(bytes: Buffer): boolean;
  entry(text: string): void;
}

function collector(what: string, xml: XmlReader): Collector {
  const found: StoredAdvisory[] = [];
  let bytes = 0;
  const entry = (text: string): void => {
    bytes += text.length;
    if (bytes > MAX_KEPT_BYTES || found.length >= MAX_KEPT) {
      throw new KpmError('too-large', {
        text: `${what} holds more advisories about kernels than is sensible.`,
        subject: what,
        hint: 'Tell whoever runs the repository; nothing of it was taken.',
      });
    }
    const advisory = parseUpdate(text, what, xml);
    if (advisory !== null) found.push(advisory);
  };
  return {
    found,
    entry,
    slice(slice) {
      if (!WORDS.some((word) => slice.includes(word))) return true;
      try {
        entry(slice.toString('utf8'));
        return true;
      } catch (error) {
        if (error instanceof KpmError && error.code === 'updateinfo-malformed') return false;
        throw error;
      }
    },
  };
}

/** Cuts the stream into entries; false where only a parser can tell what is one. It is read to its end all the same. */
export async function scanUpdates(source: AsyncIterable<Buffer>, take: (slice: Buffer) => boolean): Promise<boolean> {
  let parts: Buffer[] = [];
  let held = 0;
  let wanted = WINDOW;
  let sound = true;
  let entries = 0;
  const search = (): void => {
    const window = Buffer.concat(parts, held);
    let at = 0;
    for (let end = window.indexOf(END); sound && end >= 0; end = window.indexOf(END, at)) {
      const stop = end + END.length;
      sound = one(window.subarray(at, stop), entries === 0, take);
      entries++;
      at = stop;
    }
    // A copy: a view would keep the whole window alive.
    const rest = Buffer.from(window.subarray(at));
    parts = [rest];
    held = rest.length;
    wanted = Math.max(WINDOW, held * 2);
    if (held > MAX_SLICE) sound = false;
  };
  for await (const chunk of source) {
    // What is not sound is only read on for its checksum.
    if (!sound) continue;
    parts.push(chunk);
    held += chunk.length;
    if (held >= wanted) search();
  }
  if (sound) search();
  const tail = Buffer.concat(parts, held).toString('latin1', 0, 4096);
  return sound && held <= 4096 && (entries === 0 ? EMPTY : TAIL).test(tail);
}

/** One entry, with what stands before it: nothing but space, or the head of the document. */
function one(bytes: Buffer, first: boolean, take: (slice: Buffer) => boolean): boolean {
  const start = nextStart(bytes, 0);
  if (start < 0 || start > 4096 || nextStart(bytes, start + START.length) >= 0) return false;
  const before = bytes.toString('latin1', 0, start);
  if (!(first ? HEAD : /^\s*$/).test(before)) return false;
  if (first && /encoding\s*=\s*["'](?!utf-8["'])/i.test(before)) return false;
  const slice = bytes.subarray(start);
  // Comments, CDATA and processing instructions may hold anything that looks like an entry.
  if (slice.includes('<!') || slice.includes('<?')) return false;
  return take(slice);
}

/** The next `<update` that is the tag itself, and not `<updated` or `<updates`. */
function nextStart(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(START, from); at >= 0; at = bytes.indexOf(START, at + 1)) {
    const next = bytes[at + START.length];
    if (next === 0x20 || next === 0x3e || next === 0x09 || next === 0x0a || next === 0x0d || next === 0x2f) return at;
  }
  return -1;
}
