// What a boot loads: one level of each stream, by which unit, and that `status` says the same beforehand.
import { describe, expect, test } from '@jest/globals';
import { bootFiles, bootLoader, nextBoot } from '../../../src/decide/boot.ts';
import { moduleName } from '../../../src/decide/schemes/rhel.ts';
import { kernelReports } from '../../../src/decide/verdict.ts';
import type { KernelRelease } from '../../../src/domain/kernel.ts';
import type { InstalledPatch } from '../../../src/domain/livepatch.ts';
import type { BootUnits, UnitState } from '../../../src/domain/world.ts';
import { installedFrom, K, offer, world } from '../../support/world.ts';

const kernel = K as KernelRelease;
const level = (text: string, more: Partial<InstalledPatch> = {}): InstalledPatch =>
  installedFrom(offer(K, text), K, { file: `var/lib/kpatch/${K}/${text}.ko`, ...more });
/** The same file when nobody accounts for it. */
const nobodys = (text: string): InstalledPatch => level(text, { package: null, source: 'foreign', changed: null });
const own = (module: string): InstalledPatch => ({
  ...nobodys('1-1'),
  module,
  file: `var/lib/kpatch/${K}/${module}.ko`,
});
const files = (list: readonly InstalledPatch[]): (string | null)[] =>
  list.map(({ file }) => file?.split('/').at(-1) ?? null);
const sorted = (...installed: InstalledPatch[]) => {
  const { load, aside, refused } = bootFiles(kernel, { installed });
  return { load: files(load), aside: files(aside), refused: files(refused) };
};

describe('which files', () => {
  test('the only level', () => expect(sorted(level('1-1'))).toEqual({ load: ['1-1.ko'], aside: [], refused: [] }));
  test('levels are numbers: 1-10 is above 1-2, though it comes first in the directory', () =>
    expect(sorted(level('1-10'), level('1-2'), level('1-9'))).toEqual({
      load: ['1-10.ko'],
      aside: ['1-9.ko', '1-2.ko'],
      refused: [],
    }));
  test('a lower level nobody accounts for would replace the higher one: it goes too', () =>
    expect(sorted(nobodys('1-1'), level('1-2'))).toMatchObject({ load: ['1-2.ko'], aside: ['1-1.ko'] }));
  test('a module of no stream is somebody’s own: it stays and comes last, in the order of its numbers', () =>
    expect(sorted(own('my_10'), own('my_9'), level('1-1'))).toMatchObject({
      load: ['1-1.ko', 'my_9.ko', 'my_10.ko'],
      aside: [],
    }));
  test('beside a package’s module the name tells a level too, where the release of the kernel names no stream', () => {
    const debian = '6.1.0-56-amd64' as KernelRelease;
    const file = (text: string, more: Partial<InstalledPatch> = {}): InstalledPatch =>
      level(text, { kernel: debian, module: `kpatch_6_1_0_56_amd64_${text.replace('-', '_')}`, ...more });
    const lower = file('1-6', { package: null, source: 'foreign', changed: null });
    const { load, aside } = bootFiles(debian, { installed: [lower, file('1-10')] });
    expect([files(load), files(aside)]).toEqual([['1-10.ko'], ['1-6.ko']]);
    const alone = bootFiles(debian, { installed: [lower] });
    expect([files(alone.load), files(alone.aside)]).toEqual([['1-6.ko'], []]);
  });
  test('a changed file is refused and does not push a good one aside', () =>
    expect(sorted(level('1-3', { changed: true }), level('1-2'))).toEqual({
      load: ['1-2.ko'],
      aside: [],
      refused: ['1-3.ko'],
    }));
  test('a subscription, a missing file, another kernel', () => {
    const elsewhere = level('1-2', { kernel: '5.14.0-1.el9.x86_64' });
    expect(sorted(level('0-1', { file: null }), level('1-1', { file: null }), elsewhere)).toEqual({
      load: [],
      aside: [],
      refused: [],
    });
  });
});

describe('which unit', () => {
  const states: UnitState[] = ['absent', 'masked', 'enabled', 'disabled'];
  const answers: Record<UnitState, Record<UnitState, string | null>> = {
    // kpatch.service: { our own unit: who loads }
    absent: { absent: null, masked: null, disabled: null, enabled: 'kpatch-pm-boot.service' },
    enabled: {
      absent: 'kpatch.service',
      masked: 'kpatch.service',
      disabled: 'kpatch.service',
      enabled: 'kpatch-pm-boot.service',
    },
    disabled: { absent: null, masked: null, disabled: null, enabled: null },
    masked: { absent: null, masked: null, disabled: null, enabled: null },
  };
  const cases = states.flatMap((utility) => states.map((ours) => [utility, ours, answers[utility][ours]] as const));
  test.each(cases)('kpatch.service %s, kpatch-pm-boot.service %s: %s', (utility, ours, by) => {
    expect(bootLoader({ utility, own: ours, timer: 'disabled' }).by).toBe(by);
  });
});

describe('what status says beforehand', () => {
  const units = (utility: UnitState): BootUnits => ({ utility, own: 'enabled', timer: 'enabled' });
  const module = moduleName(offer(K, '1-2'));
  const report = (utility: UnitState) =>
    kernelReports(world({ installed: [level('1-1'), level('1-2')], boot: units(utility) }))[0]?.nextBoot;

  test('the module and the unit', () =>
    expect(report('absent')).toEqual({
      loads: [module],
      by: 'kpatch-pm-boot.service',
      text: `${module} will be loaded by kpatch-pm-boot.service`,
    }));
  test('after systemctl disable kpatch.service: nothing', () =>
    expect(report('disabled')).toEqual({
      loads: [],
      by: null,
      text: 'nothing will be loaded: kpatch.service is disabled',
    }));
  test('nothing where nobody looked at units, or nothing is installed', () => {
    expect(nextBoot(kernel, world({ installed: [level('1-1')] }))).toBeNull();
    expect(nextBoot(kernel, world({ boot: units('enabled') }))).toMatchObject({ loads: [], by: null });
  });
});

describe('quarantine', () => {
  const module = moduleName(offer(K, '1-2'));
  const nevra = `${offer(K, '1-2').name}-1-2.el9_3.x86_64`;
  const crashed = {
    kernel,
    module,
    file: '1-2.ko',
    sha256: 'a'.repeat(64),
    package: nevra,
    since: '2026-01-01T00:00:00Z',
    why: 'the machine crashed',
  };
  const verdict = (more: Parameters<typeof world>[0]) => kernelReports(world({ quarantined: [crashed], ...more }))[0];

  test('is the verdict until it is cleared, and is not taken again', () => {
    const seen = verdict({ installed: [level('1-2', { file: null })], offered: [offer(K, '1-2')] });
    expect(seen).toMatchObject({ verdict: 'quarantined', because: { code: 'quarantined' }, available: null });
    expect(seen?.next).toEqual([`kpatch-pm quarantine clear ${module}`]);
  });
  test('with a newer level on offer that is the first thing to do', () => {
    const seen = verdict({ installed: [level('1-2', { file: null })], offered: [offer(K, '1-2'), offer(K, '1-3')] });
    expect(seen?.next).toEqual(['kpatch-pm install', `kpatch-pm quarantine clear ${module}`]);
  });
  test('with a lower one on offer it is said how to go back to it', () => {
    const offered = [offer(K, '1-1'), offer(K, '1-2')];
    const [clear, back] = [`kpatch-pm quarantine clear ${module}`, `kpatch-pm downgrade ${offer(K, '1-1').name}`];
    expect(verdict({ installed: [level('1-2', { file: null })], offered })?.next).toEqual([back, clear]);
    expect(verdict({ installed: [level('1-1')], offered })?.next).toEqual([clear]);
    expect(verdict({ offered })?.next).toEqual(['kpatch-pm install', clear]);
  });
  test('a newer level that is installed makes it history', () => {
    expect(verdict({ installed: [level('1-3')], live: false })?.verdict).toBe('ready-at-boot');
  });
});
