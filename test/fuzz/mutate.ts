// Changing bytes: what damage does, what an attacker does, and what makes a careless reader slow.
import type { Random } from './random.ts';

const EDGES = [0, 1, 2, 3, 4, 7, 8, 15, 16, 32, 63, 64, 100, 127, 128, 255, 256, 1024, 4096, 0x7fff, 0x8000, 0xffff];
const EDGES32 = [...EDGES, 0x10000, 0xffffff, 0x0fffffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffe, 0xffffffff];
/** Longest input that mutation makes. */
export const MAX_INPUT = 192 * 1024;

type Mutation = (bytes: Buffer, random: Random, words: readonly string[]) => Buffer;

const at = (bytes: Buffer, random: Random): number => random.below(bytes.length + 1);

function spliced(bytes: Buffer, start: number, end: number, middle: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), middle, bytes.subarray(end)]);
}

function chunk(bytes: Buffer, random: Random, longest: number): Buffer {
  const start = at(bytes, random);
  return bytes.subarray(start, start + 1 + random.below(longest));
}

const MUTATIONS: readonly Mutation[] = [
  // a bit, a byte, some bytes
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    const n = random.below(copy.length);
    if (copy.length > 0) copy[n] = (copy[n] as number) ^ (1 << random.below(8));
    return copy;
  },
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    if (copy.length > 0)
      copy[random.below(copy.length)] = random.pick([0, 1, 0x0a, 0x1b, 0x20, 0x7f, 0x80, 0xff, random.below(256)]);
    return copy;
  },
  (bytes, random) => {
    const start = at(bytes, random);
    return spliced(bytes, start, start + random.below(16), random.bytes(random.below(16)));
  },
  // numbers, big and little endian, at the edges of what they can hold
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    if (copy.length < 4) return copy;
    const place = random.chance(2) ? random.below((copy.length - 3) >> 2) * 4 : random.below(copy.length - 3);
    const value = random.chance(3)
      ? (copy.readUInt32BE(place) + random.below(9) - 4) >>> 0
      : random.pick(EDGES32) >>> 0;
    if (random.chance(4)) copy.writeUInt32LE(value, place);
    else copy.writeUInt32BE(value, place);
    return copy;
  },
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    if (copy.length < 2) return copy;
    copy.writeUInt16BE(random.pick(EDGES) & 0xffff, random.below(copy.length - 1));
    return copy;
  },
  // cut, leave out, double, move
  (bytes, random) => bytes.subarray(0, at(bytes, random)),
  (bytes, random) => {
    const start = at(bytes, random);
    return spliced(bytes, start, start + 1 + random.below(64), Buffer.alloc(0));
  },
  (bytes, random) => {
    const start = at(bytes, random);
    return spliced(bytes, start, start, chunk(bytes, random, 256));
  },
  (bytes, random) => {
    const part = chunk(bytes, random, 64);
    const start = at(bytes, random);
    return spliced(bytes, start, start + part.length, part);
  },
  // words of the format, alone and in place of something
  (bytes, random, words) => {
    if (words.length === 0) return bytes;
    const start = at(bytes, random);
    return spliced(
      bytes,
      start,
      start + (random.chance(2) ? random.below(24) : 0),
      Buffer.from(random.pick(words), 'latin1'),
    );
  },
  // a number in digits
  (bytes, random) => {
    const text = bytes.toString('latin1');
    const found = [...text.slice(0, 20_000).matchAll(/\d+/g)];
    if (found.length === 0) return bytes;
    const one = random.pick(found);
    const value = random.pick([
      '0',
      '1',
      '-1',
      '4294967295',
      '4294967296',
      '9007199254740993',
      '1e9',
      '0x10',
      '00',
      '9'.repeat(40),
      '',
    ]);
    return spliced(bytes, one.index, one.index + one[0].length, Buffer.from(value));
  },
];

/** Makes a reader that looks back, or forward, again and again take its time. */
function repeat(bytes: Buffer, random: Random, words: readonly string[]): Buffer {
  const one =
    random.chance(2) && words.length > 0 ? Buffer.from(random.pick(words), 'latin1') : chunk(bytes, random, 48);
  if (one.length === 0) return bytes;
  const two = words.length > 0 && random.chance(3) ? Buffer.from(random.pick(words), 'latin1') : Buffer.alloc(0);
  const both = Buffer.concat([one, two]);
  const many = Buffer.alloc(both.length * Math.max(1, Math.floor(random.below(MAX_INPUT) / both.length)), both);
  const start = at(bytes, random);
  return spliced(bytes, start, start, many);
}

/** One to eight changes of a sample; sometimes the whole of another sample is put in, sometimes one thing many times. */
export function mutate(
  sample: Buffer,
  others: readonly Buffer[],
  random: Random,
  words: readonly string[] = [],
): Buffer {
  let bytes = sample;
  if (random.chance(400)) bytes = repeat(bytes, random, words);
  if (random.chance(12) && others.length > 0) {
    const other = random.pick(others);
    bytes = Buffer.concat([bytes.subarray(0, at(bytes, random)), other.subarray(at(other, random))]);
  }
  const changes = random.chance(3) ? 1 + random.below(8) : 1;
  for (let n = 0; n < changes; n++) bytes = random.pick(MUTATIONS)(bytes, random, words);
  return bytes.length > MAX_INPUT ? bytes.subarray(0, MAX_INPUT) : bytes;
}
