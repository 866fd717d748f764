// SHA-256 of a short text, without node's crypto: to load that takes longer than all else a warm run does with it
// (docs/performance.md). For names of files; what must be checked is checked by node's. Source: FIPS 180-4, 5.1.1, 6.2.2.

/** The first 32 bits of the fractional parts of a root of each of the first primes. FIPS 180-4, 4.2.2 and 5.3.3. */
function fractions(count: number, root: (prime: number) => number): number[] {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
    if (prime) found.push(((root(n) % 1) * 2 ** 32) | 0);
  }
  return found;
}

const rotated = (x: number, by: number): number => (x >>> by) | (x << (32 - by));

/** The digest in lower-case hexadecimal. */
export function sha256OfText(text: string): string {
  const K = fractions(64, Math.cbrt);
  const state = Int32Array.from(fractions(8, Math.sqrt));
  const bytes = new TextEncoder().encode(text);
  const blocks = new DataView(new ArrayBuffer(((bytes.length + 72) >> 6) << 6));
  new Uint8Array(blocks.buffer).set(bytes);
  blocks.setUint8(bytes.length, 0x80);
  blocks.setUint32(blocks.byteLength - 4, bytes.length * 8);
  const w = new Int32Array(64);
  for (let at = 0; at < blocks.byteLength; at += 64) {
    for (let t = 0; t < 16; t++) w[t] = blocks.getInt32(at + 4 * t);
    for (let t = 16; t < 64; t++) {
      const [x, y] = [w[t - 15]!, w[t - 2]!];
      const s0 = rotated(x, 7) ^ rotated(x, 18) ^ (x >>> 3);
      const s1 = rotated(y, 17) ^ rotated(y, 19) ^ (y >>> 10);
      w[t] = w[t - 16]! + s0 + w[t - 7]! + s1;
    }
    let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
    for (let t = 0; t < 64; t++) {
      const one = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
      const first = (h + one + ((e & f) ^ (~e & g)) + K[t]! + w[t]!) | 0;
      const two = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
      const second = (two + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    for (const [n, value] of [a, b, c, d, e, f, g, h].entries()) state[n]! += value;
  }
  return [...state].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}
