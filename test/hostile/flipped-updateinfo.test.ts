// Bytes all over a list of advisories flipped, and the list cut short: it is read, or refused with a code; never a crash, never text
// that an entry did not hold, never an endless loop.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { KpmError } from '../../src/errors.ts';
import { readUpdateinfo } from '../../src/observe/repo/updateinfo.ts';
import { xmlReader } from '../../src/observe/repo/xml.ts';
import { FIXTURES } from '../support/fixtures.ts';

const folder = path.join(FIXTURES, 'el9', 'repodata');
const name = readdirSync(folder).find((file) => file.endsWith('-updateinfo.xml.gz')) as string;
// Two advisories are enough of each kind of byte.
const whole = gunzipSync(readFileSync(path.join(folder, name))).toString('utf8');
const second = whole.indexOf('</update>', whole.indexOf('</update>') + 1) + '</update>'.length;
const sound = Buffer.from(`${whole.slice(0, second)}\n</updates>\n`);

async function outcome(bytes: Buffer): Promise<string> {
  const xml = await xmlReader();
  const open = async () => {
    async function* stream() {
      yield bytes;
    }
    return { stream: stream(), check: () => undefined };
  };
  try {
    return `read ${(await readUpdateinfo(open, 'the list', xml)).length}`;
  } catch (error) {
    if (error instanceof KpmError) return error.code;
    throw error;
  }
}

const EXPECTED = /^(?:read [012]|updateinfo-malformed)$/;

test('untouched: both', async () => expect(await outcome(sound)).toBe('read 2'));

test.each([0x01, 0x20, 0x80])('every fifth byte, bit %i', async (bit) => {
  const seen = new Set<string>();
  for (let at = bit % 5; at < sound.length; at += 5) {
    const bytes = Buffer.from(sound);
    bytes[at] = (bytes[at] as number) ^ bit;
    seen.add(await outcome(bytes));
  }
  for (const one of seen) expect(one).toMatch(EXPECTED);
  expect(seen).toContain('updateinfo-malformed');
});

test('cut anywhere before its end: refused, never half of it', async () => {
  const end = sound.toString().lastIndexOf('>') + 1;
  const seen = new Set<string>();
  for (let at = 0; at < end; at += 3) seen.add(await outcome(sound.subarray(0, at)));
  expect([...seen]).toEqual(['updateinfo-malformed']);
});
