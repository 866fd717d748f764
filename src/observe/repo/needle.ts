// Finding a word in much text. node looks for a text of up to seven bytes with the processor's own search for its first
// byte, and for a longer one step by step: a few bytes that begin with a rare letter are found several times as fast
// (docs/performance.md), and only where they are found the whole word is compared.

export interface Needle {
  readonly whole: Buffer;
  /** What is searched: six bytes of it at most. */
  readonly part: Buffer;
  /** Where the part begins in the whole. */
  readonly offset: number;
}

const LONGEST = 6;

/** `offset`: of the rarest letter that has a few more behind it. */
export function needle(word: string, offset: number): Needle {
  const whole = Buffer.from(word);
  return { whole, part: whole.subarray(offset, offset + LONGEST), offset };
}

/** Position of the first whole word that begins at `from` or behind; -1 where there is none. */
export function find(bytes: Buffer, { whole, part, offset }: Needle, from: number): number {
  for (let at = from + offset; ; at++) {
    at = bytes.indexOf(part, at);
    if (at < 0) return -1;
    if (standsAt(bytes, whole, at - offset)) return at - offset;
  }
}

/** Whether the word is at that position. */
export function standsAt(bytes: Buffer, word: Buffer, at: number): boolean {
  for (let n = 0; n < word.length; n++) if (bytes[at + n] !== word[n]) return false;
  return true;
}
