import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { type Pair, socketPair } from '../../../src/host/pair.ts';
import { removeTrees, tree } from '../../support/config-root.ts';
import { needsThat } from '../../support/programs.ts';

afterAll(removeTrees);

/** What arrives of what is written. */
async function through(pair: Pair | null, text: string): Promise<string> {
  if (pair === null) throw new Error('no pair');
  pair.theirs.end(text);
  let all = '';
  for await (const piece of pair.pieces) all += piece.toString('latin1');
  return all;
}

/** The number of a process that is no more. */
async function dead(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid as number;
}

needsThat(process.getuid?.() === 0, 'being root')('the place of a pair of sockets', () => {
  test('is made for root alone, and nothing stays in it', async () => {
    const place = path.join(tree({}), 'place');
    expect(await through(await socketPair(null, place), 'bytes')).toBe('bytes');
    expect(statSync(place).mode & 0o7777).toBe(0o700);
    expect(readdirSync(place)).toEqual([]);
  });

  test.each([
    ['as much as was expected', 3_000_000, 1],
    ['more than was expected', 1_000_000, 9],
  ])('pieces to keep lie side by side: %s', async (_, expected, runs) => {
    const bytes = Buffer.from(Uint32Array.from({ length: 750_000 }, (_, n) => n).buffer);
    const pair = (await socketPair(expected, path.join(tree({}), 'place'))) as Pair;
    pair.theirs.end(bytes);
    const pieces: Buffer[] = [];
    for await (const piece of pair.pieces) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    const starts = pieces.filter((piece, n) => {
      const last = pieces[n - 1];
      return n === 0 || piece.buffer !== last?.buffer || piece.byteOffset !== last.byteOffset + last.length;
    });
    // What goes beyond comes in further pieces of 256 KiB.
    expect(starts).toHaveLength(runs);
    expect(starts[0]?.buffer.byteLength).toBe(expected);
  });

  test('is cleared of what killed runs left, and of nothing else', async () => {
    const place = path.join(tree({}), 'place');
    mkdirSync(place, { mode: 0o700 });
    for (const name of [`${await dead()}-1`, `${process.pid}-1`, 'strange', '1-1'])
      writeFileSync(path.join(place, name), '');
    expect(await through(await socketPair(null, place), 'bytes')).toBe('bytes');
    expect(readdirSync(place)).toEqual(['1-1']);
  });

  test.each([
    ['others may enter it', 'place', (place: string) => mkdirSync(place, { mode: 0o755 })],
    ['it is a link', 'place', (place: string) => symlinkSync(path.dirname(place), place)],
    ['it is a file', 'place', (place: string) => writeFileSync(place, '', { mode: 0o700 })],
    ['its parent is not there', 'none/place', () => undefined],
  ])('is not used where %s', async (_, name, make) => {
    const place = path.join(tree({}), name);
    make(place);
    expect(await socketPair(null, place)).toBeNull();
  });
});
