// Finding the few packages that can matter in a long primary.xml without parsing it: the bytes are searched for
// `<package ` ... `</package>`, and only slices that can matter are handed on. Memory is one window, whatever the file.
import { find, type Needle, needle, standsAt } from './needle.ts';

/** Bytes searched at a time; larger only while one package entry is larger. */
const WINDOW = 256 * 1024;
/** No package entry is that long (the longest kernel entries have about a megabyte). */
export const MAX_SLICE = 16 * 1024 * 1024;

/** What may stand between the last entry and the end of the document. */
const TAIL = 4096;

const START = Buffer.from('<package ');
const END = needle('</package>', 5);
const NAME = Buffer.from('<name>');

export interface Interest {
  /** A package whose name starts so is handed on. */
  readonly nameStarts: readonly string[];
  /** A package whose entry contains this anywhere is handed on. */
  readonly mentions: Needle;
}

/** Live patches, kernels, the kpatch utility, and whatever has to do with a kpatch-patch package. */
export const INTEREST: Interest = { nameStarts: ['kpatch', 'kernel'], mentions: needle('kpatch-patch', 0) };

export interface ScanResult {
  /** Entries that begin and entries that end. */
  readonly starts: number;
  readonly ends: number;
  /** packages="N" of the root element; null when it is not written. */
  readonly declared: number | null;
  /** Whether the root element ends after the last entry. */
  readonly complete: boolean;
}

/** True when the counts agree, so that the slices are the packages; else only a strict parser can tell. */
export function trustworthy(result: ScanResult): boolean {
  return result.complete && result.starts === result.ends && result.starts === result.declared;
}

/** Reads to the end, calling `take` with each slice of interest (a view that is valid only during the call). */
export async function scanPackages(
  source: AsyncIterable<Buffer>,
  interest: Interest,
  take: (slice: Buffer) => void,
): Promise<ScanResult> {
  const state = { starts: 0, ends: 0 };
  let declared: number | null | undefined;
  let tooLong = false;
  // One piece of memory for all windows: a new one for each would be a quarter of a gigabyte of garbage for a long list.
  let window = Buffer.allocUnsafeSlow(WINDOW);
  let held = 0;
  const search = (last: boolean): void => {
    const bytes = window.subarray(0, held);
    if (declared === undefined) declared = declaredCount(bytes);
    const keep = searchWindow(bytes, interest, take, state, last);
    window.copyWithin(0, keep, held);
    held -= keep;
  };
  for await (const chunk of source) {
    // What is too long is only read on for its checksum.
    for (let at = 0; at < chunk.length && !tooLong; ) {
      const taken = chunk.copy(window, held, at);
      at += taken;
      held += taken;
      if (held < window.length) break;
      search(false);
      // Less than half of it free: an entry is longer than the window.
      if (held > window.length / 2) {
        tooLong = window.length >= MAX_SLICE;
        if (!tooLong) window = grown(window, held);
      }
    }
  }
  if (tooLong) return { starts: state.starts, ends: state.ends, declared: declared ?? null, complete: false };
  search(true);
  return {
    starts: state.starts,
    ends: state.ends,
    declared: declared ?? null,
    complete: window.subarray(0, held).includes('</metadata>'),
  };
}

function grown(window: Buffer, held: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(window.length * 2);
  window.copy(larger, 0, 0, held);
  return larger;
}

function declaredCount(window: Buffer): number | null {
  const head = window.toString('latin1', 0, 4096);
  // A document type may redefine anything.
  if (/<!DOCTYPE/i.test(head)) return null;
  const found = /<metadata\b[^>]*\spackages=["'](\d{1,9})["']/.exec(head);
  return found ? Number(found[1]) : null;
}

/** Searches one window; gives the position from which bytes must be kept for the next. */
function searchWindow(
  window: Buffer,
  interest: Interest,
  take: (slice: Buffer) => void,
  state: { starts: number; ends: number },
  last: boolean,
): number {
  let at = 0;
  let mention = -2;
  for (;;) {
    const start = startFrom(window, at);
    if (start < 0) break;
    const end = find(window, END, start + START.length);
    if (end < 0) {
      if (last) state.starts++;
      return start;
    }
    const stop = end + END.whole.length;
    state.starts++;
    state.ends++;
    // A start inside an entry means that an end was missing or was no end: the counts must not agree then.
    if (mention !== -1 && mention < start) mention = find(window, interest.mentions, start);
    if ((mention >= start && mention < stop) || nameFits(window, start, stop, interest))
      take(window.subarray(start, stop));
    at = stop;
  }
  // The start of an entry may be cut in two; and the end of the document must be seen.
  return Math.max(at, window.length - TAIL);
}

/** The next start. Mostly it is right there, behind a line break. */
function startFrom(window: Buffer, at: number): number {
  const next = window[at] === 10 ? at + 1 : at;
  return standsAt(window, START, next) ? next : window.indexOf(START, at);
}

function nameFits(window: Buffer, start: number, stop: number, interest: Interest): boolean {
  const name = window.indexOf(NAME, start);
  if (name < 0 || name >= stop) return true;
  const from = name + NAME.length;
  for (const begin of interest.nameStarts) {
    let n = 0;
    while (n < begin.length && window[from + n] === begin.charCodeAt(n)) n++;
    if (n === begin.length) return true;
  }
  return false;
}
