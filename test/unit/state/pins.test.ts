import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Root } from '../../../src/host/root.ts';
import { addPin, PINS, pinnedKeys, readPins, removePin } from '../../../src/state/pins.ts';
import { forgetRemoval, REMOVED_KEYS, rememberRemoval, removedKeys } from '../../../src/state/removed-keys.ts';
import { codeOf } from '../../support/code-of.ts';

let dir: string;
let root: Root;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'kpm-pins-'));
  root = new Root(dir);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const pin = (stream: string, fingerprint: string) => ({
  stream,
  fingerprint,
  owner: 'Vendor',
  since: '2026-01-01T00:00:00Z',
});

describe('pins', () => {
  test('none: every trusted key may sign', () => {
    expect(readPins(root)).toEqual([]);
    expect(pinnedKeys([], 'rhel')).toBeNull();
  });

  test('are kept per stream, closed to others', () => {
    addPin(root, pin('rhel', 'AA'));
    addPin(root, pin('rhel', 'BB'));
    addPin(root, pin('rhel', 'AA'));
    addPin(root, pin('amazon', 'CC'));
    const pins = readPins(root);
    expect(pinnedKeys(pins, 'rhel')).toEqual(['BB', 'AA']);
    expect(pinnedKeys(pins, 'amazon')).toEqual(['CC']);
    expect(pinnedKeys(pins, 'suse')).toBeNull();
    expect(statSync(path.join(dir, PINS)).mode & 0o777).toBe(0o600);
  });

  test('the last one taken away frees the stream', () => {
    addPin(root, pin('rhel', 'AA'));
    removePin(root, 'rhel', 'BB');
    expect(pinnedKeys(readPins(root), 'rhel')).toEqual(['AA']);
    removePin(root, 'rhel', 'AA');
    expect(pinnedKeys(readPins(root), 'rhel')).toBeNull();
  });

  test.each(['', '[]', '{"format":1}', '{"format":1,"pins":[{"stream":"rhel"}]}'])(
    'a damaged file (%s) is an error, not "no pins"',
    (text) => {
      root.mkdirs('var/lib/kpatch-pm', 0o700);
      root.write(PINS, text);
      expect(codeOf(() => readPins(root))).toBe('state-damaged');
      const said: string[] = [];
      expect(readPins(root, ({ code }) => said.push(code))).toEqual([]);
      expect(said).toEqual(['state-damaged']);
    },
  );
});

describe('removed keys', () => {
  const gone = { fingerprint: 'AA', owner: 'Vendor', since: '2026-01-01T00:00:00Z' };
  test('are remembered once, until wanted again', () => {
    expect(removedKeys(root)).toEqual([]);
    forgetRemoval(root, 'AA');
    expect(root.exists(REMOVED_KEYS)).toBe(false);
    rememberRemoval(root, gone);
    rememberRemoval(root, { ...gone, since: '2026-02-01T00:00:00Z' });
    rememberRemoval(root, { ...gone, fingerprint: 'BB' });
    expect(removedKeys(root).map(({ fingerprint, since }) => [fingerprint, since.slice(0, 7)])).toEqual([
      ['AA', '2026-02'],
      ['BB', '2026-01'],
    ]);
    forgetRemoval(root, 'AA');
    expect(removedKeys(root).map(({ fingerprint }) => fingerprint)).toEqual(['BB']);
  });
});
