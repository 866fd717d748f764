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

test('of two lists of CVEs of a machine the newer counts, in whatever order', () => {
  const list = (time: string, ...ids: string[]) => ({
    format: 1,
    time,
    machine: 'a',
    kernels: [{ release: K, cves: ids.map((cve) => ({ cve, state: 'available' })) }],
  });
  const [older, newer] = [list('2026-01-01T00:00:00Z', 'old'), list('2026-01-02T00:00:00Z', 'new')];
  for (const both of [
    [older, newer],
    [newer, older],
  ]) {
    expect(mergeFleet(files(...both, status('a', 'protected'))).rows[0]?.openCves).toEqual(['new']);
  }
});

test('a machine is called by its file where its id is a machine-id; nobody is called by what two have', () => {
  const id = (n: number): string => String(n).repeat(32);
  const named = (...names: string[]): string[] =>
    mergeFleet(names.map((name, n) => ({ name, value: status(id(n + 1), 'protected') }))).rows.map(({ name }) => name);
  expect(named('out/status-web1.json', 'db.example.com.json', '/x/web2.status.json')).toEqual([
    'db.example.com',
    'web1',
    'web2',
  ]);
  expect(named('web1/status.json', 'web2/status.json')).toEqual(['web1/status.json', 'web2/status.json']);
  expect(named('.json')).toEqual(['.json']);
  expect(named('/x/status.json')).toEqual(['/x/status.json']);
  const [own] = mergeFleet([{ name: 'web1.json', value: status('a-name', 'protected') }]).rows;
  expect(own).toMatchObject({ machine: 'a-name', name: 'a-name' });
});
