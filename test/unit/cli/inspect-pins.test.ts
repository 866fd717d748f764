// inspect asks what installing would ask next: whether the pins of the root allow the signer.
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { main } from '../../../src/cli/main.ts';
import { FIXTURES, scratchRoot } from '../../support/fixtures.ts';
import { surroundings } from '../../support/surroundings.ts';

const LEVEL = 'el9/Packages/kpatch-patch-5_14_0-427_13_1-1-1.el9_4.x86_64.rpm';
const RELEASE = '67C180CD3E68AF9AA4B7DC2C0F6AB0C2B5D41D1B';
const OTHER = 'BB54E1EEDC0B369655345C8ADE27E854E9275F5B';
const root = scratchRoot({ repos: '', rpmdb: false });
const state = root.at('var/lib/kpatch-pm');
afterAll(() => root.remove());
beforeEach(() => {
  rmSync(state, { recursive: true, force: true });
  rmSync(root.at('etc/kpatch-pm'), { recursive: true, force: true });
});

function pinned(text: string): void {
  mkdirSync(state, { mode: 0o700 });
  writeFileSync(path.join(state, 'pins.json'), text);
}
const pin = (fingerprint: string): string =>
  `${JSON.stringify({ format: 1, pins: [{ stream: 'rhel', fingerprint, owner: 'x', since: '2026-01-01T00:00:00Z' }] })}\n`;

async function inspected(file: string, ...more: string[]): Promise<{ text: string; pin: unknown }> {
  const run = async (...args: string[]): Promise<string> => {
    const around = surroundings({ hostPath: '/', directory: FIXTURES });
    const status = await main(
      ['--installroot', root.path, 'inspect', '--key', 'keys/RPM-GPG-KEY-fixtures', file, ...args],
      around,
    );
    expect(status).toBe(0);
    return around.stdout.text;
  };
  return { text: (await run(...more)).replace(/\s+/g, ' '), pin: JSON.parse(await run('--json', ...more))[0].pin };
}

test('no pin, the signer pinned, another key pinned, a damaged list', async () => {
  expect(await inspected(LEVEL)).toMatchObject({
    text: expect.stringContaining('Pin rhel: the stream has no pin'),
    pin: { stream: 'rhel', verdict: 'none' },
  });
  pinned(pin(RELEASE));
  expect(await inspected(LEVEL)).toMatchObject({
    text: expect.stringContaining('the signer is pinned'),
    pin: { verdict: 'pinned' },
  });
  rmSync(state, { recursive: true });
  pinned(pin(OTHER));
  expect(await inspected(LEVEL)).toMatchObject({
    text: expect.stringContaining('installing refuses this (key-not-pinned)'),
    pin: { verdict: 'not-pinned' },
  });
  rmSync(state, { recursive: true });
  pinned('{ "format": 1, "pins": [{');
  expect(await inspected(LEVEL)).toMatchObject({
    text: expect.stringContaining('not known'),
    pin: { verdict: 'unknown' },
  });
});

test('what an administrator wrote goes before', async () => {
  pinned(pin(OTHER));
  mkdirSync(root.at('etc/kpatch-pm'));
  writeFileSync(root.at('etc/kpatch-pm/kpatch-pm.conf'), `[pins]\nrhel = ${RELEASE}\n`);
  expect((await inspected(LEVEL)).pin).toEqual({ stream: 'rhel', verdict: 'pinned' });
});

test('a user who may not read the pins is told so', async () => {
  pinned(pin(RELEASE));
  chmodSync(state, 0o000);
  try {
    // Root reads all the same.
    const expected = process.getuid?.() === 0 ? 'pinned' : 'unknown';
    expect((await inspected(LEVEL)).pin).toMatchObject({ verdict: expected });
  } finally {
    chmodSync(state, 0o700);
  }
});

test('nothing is said of what nobody trusted signed, or of what is no live patch', async () => {
  expect((await inspected('matrix/gzip-unsigned.rpm')).pin).toBeNull();
  expect((await inspected('el9/Packages/kpatch-0.9.7-3.el9.noarch.rpm')).pin).toBeNull();
});
