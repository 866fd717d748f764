// Many machines in one table: the newest answer counts, the worst running kernel comes first.
import { expect, test } from '@jest/globals';
import { mergeFleet } from '../../../src/decide/fleet.ts';

const K = '5.14.0-362.8.1.el9_3.x86_64';
const nevra = (level: string) => `kpatch-patch-5_14_0-362_8_1-${level}.el9_3.x86_64`;
const status = (machine: string | null, verdict: string, more: object = {}, time = '2026-01-02T00:00:00Z') => ({
  format: 1,
  time,
  machine,
  settings: {},
  kernels: [
    { release: K, running: true, verdict, because: { text: 't' }, installed: [], loaded: [], available: null, ...more },
  ],
});
const files = (...values: unknown[]) => values.map((value, n) => ({ name: `f${n}`, value }));

test('the worst comes first, then by machine; kernels that do not run come last', () => {
  const idle = { ...status('z', 'not-installed', { running: false }) };
  const { rows } = mergeFleet(
    files(status('b', 'protected'), status('c', 'not-installed'), idle, status('a', 'protected')),
  );
  expect(rows.map(({ machine, verdict }) => `${machine} ${verdict}`)).toEqual([
    'c not-installed',
    'a protected',
    'b protected',
    'z not-installed',
  ]);
});

test('of two answers of a machine the newer counts, in whatever order', () => {
  const old = status('a', 'not-installed', {}, '2026-01-01T00:00:00Z');
  for (const both of [files(old, status('a', 'protected')), files(status('a', 'protected'), old)]) {
    expect(mergeFleet(both).rows.map(({ verdict }) => verdict)).toEqual(['protected']);
  }
});

test('machines without an id go by their file', () => {
  const fleet = mergeFleet(files(status(null, 'protected'), status(null, 'unknown')));
  expect([fleet.machines, fleet.rows.map(({ machine }) => machine).sort()]).toEqual([2, ['f0', 'f1']]);
});

test('levels: of packages by rpm order, of modules by their name', () => {
  const kernel = {
    installed: [{ nevra: nevra('1-9') }, { nevra: nevra('1-10') }, { nevra: null }],
    loaded: [
      { module: 'kpatch_5_14_0_362_8_1_1_9', enabled: true },
      { module: 'kpatch_5_14_0_362_8_1_1_10', enabled: false },
    ],
    available: nevra('1-11'),
  };
  const [row] = mergeFleet(files(status('a', 'protected', kernel))).rows;
  expect([row?.loaded, row?.installed, row?.available].map((level) => level?.release)).toEqual([
    '9',
    '10.el9_3',
    '11.el9_3',
  ]);
});

test('open CVEs are those with a fix that does not run', () => {
  const states = ['fixed', 'fixed-in-kernel', 'unproven', 'on-disk', 'available', 'reboot', 'out-of-reach', 'unknown'];
  const cves = {
    format: 1,
    time: 't',
    machine: 'a',
    kernels: [{ release: K, cves: states.map((state) => ({ cve: state, state })) }],
  };
  const [row] = mergeFleet(files(cves, status('a', 'protected'))).rows;
  expect(row?.openCves).toEqual(['unproven', 'on-disk', 'available', 'reboot', 'out-of-reach']);
  expect(mergeFleet(files(cves, status('b', 'protected'))).rows[0]?.openCves).toBeNull();
});
