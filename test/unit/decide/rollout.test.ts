import { describe, expect, test } from '@jest/globals';
import { statusJson } from '../../../src/cli/render/json.ts';
import { planFor } from '../../../src/decide/plan.ts';
import { ahead, bypassFor, issuedAt, publishedAt, stageLevels, waitFor } from '../../../src/decide/rollout.ts';
import { parseSpecs } from '../../../src/decide/spec.ts';
import { kernelReports } from '../../../src/decide/verdict.ts';
import type { Advisory } from '../../../src/domain/advisory.ts';
import { formatNevra } from '../../../src/domain/nevra.ts';
import type { OfferedPackage } from '../../../src/domain/package.ts';
import {
  parseCohort,
  parseCves,
  parseSeverities,
  parseSteps,
  type Rollout,
  type RolloutStep,
} from '../../../src/domain/rollout.ts';
import type { World } from '../../../src/domain/world.ts';
import { installedFrom, K, kernel, offer, world } from '../../support/world.ts';

const DAY = 86_400;
/** The clock of the worlds below: 2026-01-01T00:01:00Z. */
const NOW = Date.parse('2026-01-01T00:01:00Z') / 1000;
const now = (days: number): number => NOW - days * DAY;

const at = (level: string, days: number, more: Partial<OfferedPackage> = {}): OfferedPackage =>
  offer(K, level, { fileTime: now(days), ...more });

function staged(policy: Partial<Rollout>, offered: readonly OfferedPackage[], place = 50, more: Partial<World> = {}) {
  const places = Object.fromEntries(offered.map((pkg) => [formatNevra(pkg), place]));
  const whole: RolloutStep[] = [{ percent: 100, after: 0 }];
  const rollout = { steps: whole, cohort: null, minAge: 0, bypassSeverity: [], bypassCves: [], places, ...policy };
  return world({ offered, rollout, ...more });
}

const advisory = (pkg: OfferedPackage, more: Partial<Advisory>): Advisory => ({
  repo: 'base',
  id: 'RHSA-1',
  type: 'security',
  severity: null,
  title: '',
  description: '',
  rights: '',
  issued: null,
  updated: null,
  references: [],
  cves: [],
  packages: [{ ...pkg, rebootSuggested: false }],
  signer: null,
  ...more,
});

const read = { state: 'read', problem: null, repo: 'base' } as const;
const level = (pkg: OfferedPackage): string => `${pkg.version}-${pkg.release.replace('.el9_3', '')}`;
const taken = (w: World): string[] =>
  planFor(w, { verb: 'install', kernels: [], load: false }).actions.flatMap((a) =>
    a.do === 'install' || a.do === 'upgrade' ? [level(a.package)] : [],
  );

describe('whose turn it is', () => {
  const two: RolloutStep[] = [
    { percent: 10, after: 0 },
    { percent: 60, after: 2 * DAY },
  ];
  test.each<[string, Partial<Rollout>, number, number, string | null, string | null]>([
    ['nothing configured holds nothing', {}, 99, 0, null, null],
    ['in the first share', { steps: two }, 9.99, 0, null, null],
    ['the share ends before its number', { steps: two }, 10, 0, 'later-cohort', '2026-01-03T00:01:00.000Z'],
    ['the second share, a second early', { steps: two }, 30, 2 - 1 / DAY, 'later-cohort', '2026-01-01T00:01:01.000Z'],
    ['the second share, in time', { steps: two }, 30, 2, null, null],
    ['in no share', { steps: two }, 60, 999, 'later-cohort', null],
    ['nobody', { steps: [{ percent: 0, after: 0 }] }, 0, 999, 'later-cohort', null],
    ['too young', { minAge: 3 * DAY }, 0, 1, 'min-age', '2026-01-03T00:01:00.000Z'],
    ['old enough', { minAge: 3 * DAY }, 99, 3, null, null],
    ['the longer of the two counts', { minAge: 3 * DAY, steps: two }, 30, 2, 'min-age', '2026-01-02T00:01:00.000Z'],
    ['and the other way', { minAge: DAY, steps: two }, 30, 1, 'later-cohort', '2026-01-02T00:01:00.000Z'],
    ['a date in the future waits longer', { minAge: DAY }, 0, -1, 'min-age', '2026-01-03T00:01:00.000Z'],
  ])('%s', (_, policy, place, age, code, until) => {
    const pkg = at('1-3', age);
    const wait = waitFor(pkg, staged(policy, [pkg], place));
    expect([wait?.because.code ?? null, wait?.until ?? null]).toEqual([code, until]);
  });

  test('when nobody says when it was published, it waits, and says so', () => {
    const pkg = at('1-3', 0, { fileTime: null, buildTime: null });
    const wait = waitFor(pkg, staged({ minAge: DAY }, [pkg]));
    expect(wait).toMatchObject({ until: null, published: null, because: { code: 'min-age' } });
    expect(wait?.because.text).toContain('which no metadata says');
  });

  test('a subscription, and a file on the command line, never wait', () => {
    const empty = at('0-0', 0);
    const file = at('1-3', 0, { repo: '@commandline' });
    const w = staged({ minAge: DAY }, [empty, file]);
    expect([waitFor(empty, w), waitFor(file, w)]).toEqual([null, null]);
  });
});

describe('when it was published', () => {
  const pkg = offer(K, '1-3', { fileTime: 500_000_000, buildTime: 400_000_000 });
  test('the file in the repository, where no advisory lists it', () =>
    expect(publishedAt(pkg, world())).toBe(500_000_000));
  test('the earliest advisory that lists exactly it, whatever a rebuilt mirror says', () => {
    const advisories = [
      advisory(pkg, { issued: '450000000' }),
      advisory(pkg, { issued: '440000000' }),
      advisory(offer(K, '1-2'), { issued: '410000000' }),
    ];
    expect(publishedAt(pkg, world({ advisories }))).toBe(440_000_000);
  });
  test('never before it was built', () =>
    expect(publishedAt(pkg, world({ advisories: [advisory(pkg, { issued: '300000000' })] }))).toBe(400_000_000));
  test.each([
    ['2024-01-10 08:30:15', '2024-01-10T08:30:15Z'],
    ['2024-01-10T08:30', '2024-01-10T08:30:00Z'],
    ['2024-01-10', '2024-01-11T00:00:00Z'],
    ['2024-01-10 00:00:00', '2024-01-11T00:00:00Z'],
    ['1704875400', '2024-01-10T08:30:00Z'],
  ])('issued %s', (text, iso) => expect(issuedAt(text)).toBe(Date.parse(iso) / 1000));
  test.each([null, '', 'yesterday', '2024-13-45', '12'])('issued %s is no date', (text) =>
    expect(issuedAt(text)).toBeNull(),
  );
});

test.each([1e13, 253_402_300_799, 1e300])('a date that no calendar has (%s) waits, and can be told', (fileTime) => {
  const pkg = at('1-3', 0, { fileTime });
  const w = staged({ minAge: DAY }, [pkg], 0, { live: false, kernels: [kernel(K)] });
  expect(waitFor(pkg, w)).toMatchObject({ until: '9999-12-31T23:59:59.000Z', because: { code: 'min-age' } });
  const [report] = kernelReports(w);
  expect(JSON.stringify(statusJson(w, report ? [report] : [], '1'))).toContain(
    '"published":"9999-12-31T23:59:59.000Z"',
  );
});

describe('what does not wait', () => {
  const older = at('1-2', 100);
  const newest = at('1-4', 0);
  const middle = at('1-3', 0);
  const important = advisory(middle, { id: 'RHSA-2', severity: 'Important', cves: ['CVE-2025-0001'] });
  const all = [newest, middle, older];
  const rules = { minAge: DAY, bypassSeverity: ['important'] };

  test('a level that brings a fix of that severity, in it or in one below', () => {
    const w = staged(rules, all, 0, { advisories: [important] });
    expect(bypassFor(newest, older, w)).toContain('RHSA-2 is Important (rollout.bypass_severity)');
    expect(taken(w)).toEqual(['1-4']);
  });
  test.each(['important', 'HIGH', 'Important'])('whatever the vendor calls it: %s', (severity) => {
    const w = staged(rules, all, 0, { advisories: [{ ...important, severity }] });
    expect(taken(w)).toEqual(['1-4']);
  });
  test('not where the installed level has that fix', () =>
    expect(bypassFor(newest, middle, staged(rules, all, 0, { advisories: [important] }))).toBeNull());
  test('a CVE by its number', () => {
    const w = staged({ minAge: DAY, bypassCves: ['CVE-2025-0001'] }, all, 0, { advisories: [important] });
    expect(bypassFor(newest, older, w)).toContain('RHSA-2 fixes CVE-2025-0001 (rollout.bypass_cves)');
  });
  test('other severities wait', () =>
    expect(
      bypassFor(newest, older, staged({ ...rules, bypassSeverity: ['critical'] }, all, 0, { advisories: [important] })),
    ).toBeNull());
  test('of a level whose turn has come nothing is said', () =>
    expect(
      bypassFor(older, null, staged(rules, all, 0, { advisories: [advisory(older, { severity: 'Important' })] })),
    ).toBeNull());
});

describe('plans', () => {
  const levels = [at('1-4', 0), at('1-3', 2), at('1-2', 9)];
  test('the highest level whose turn has come is taken, and nothing below serves as its replacement before its turn', () => {
    const w = staged({ minAge: DAY }, levels);
    const [action] = planFor(w, { verb: 'auto', kernels: [], load: false }).actions;
    expect(action).toMatchObject({ do: 'install', package: { release: '3.el9_3' } });
    expect(action?.rejected.map(({ because }) => because.code)).toEqual(['min-age']);
    expect(action && 'fallbacks' in action ? action.fallbacks.map(level) : null).toEqual(['1-2']);
  });
  test('where none is ripe the kernel is skipped for that reason', () => {
    const w = staged({ minAge: 99 * DAY }, levels);
    for (const verb of ['auto', 'install', 'upgrade'] as const) {
      const { skipped } = planFor(w, { verb, kernels: [], load: true });
      expect(skipped.map(({ because }) => because.code)).toEqual(['min-age']);
      expect(skipped[0]?.rejected).toHaveLength(3);
    }
  });
  test('an installed level stays; what waits below it is not told', () => {
    const installed = [installedFrom(levels[1] as OfferedPackage, K)];
    const { actions, skipped } = planFor(staged({ minAge: 99 * DAY }, levels, 0, { installed }), {
      verb: 'install',
      kernels: [],
      load: false,
    });
    expect(actions).toEqual([]);
    expect(skipped[0]?.rejected.map(({ nevra }) => nevra)).toEqual([formatNevra(levels[0] as OfferedPackage)]);
  });
  test('what is named does not wait, and that is said', () => {
    const [newest] = levels as [OfferedPackage];
    const w = staged({ minAge: DAY }, levels);
    const specs = parseSpecs([newest.name], K);
    const plan = planFor(w, { verb: 'install', kernels: [], load: false, specs });
    expect(plan.actions[0]).toMatchObject({ do: 'install', package: { release: '4.el9_3' } });
    expect(plan.actions[0]).toHaveProperty('early', expect.stringContaining('not before 2026-01-02 00:01 UTC'));
    expect(ahead({ package: levels[2] as OfferedPackage, replaces: null }, w)).toBeNull();
  });
});

describe('status', () => {
  test('what waits, what comes meanwhile, and the CVEs between', () => {
    const [newest, middle, old] = [at('1-4', 0), at('1-3', 2), at('1-2', 9)] as const;
    const installed = [installedFrom(old, K)];
    const advisories = [
      advisory(newest, { cves: ['CVE-2025-0004', 'CVE-2025-0003'] }),
      advisory(middle, { id: 'RHSA-2', cves: ['CVE-2025-0002'] }),
    ];
    const w = staged({ minAge: DAY }, [newest, middle, old], 0, { installed, advisories, advisoryStates: [read] });
    const [report] = kernelReports(w);
    expect(report?.rollout).toMatchObject({ package: newest, takes: middle, cves: ['CVE-2025-0003', 'CVE-2025-0004'] });
    // `install` takes something, so it stays the next command.
    expect(report?.next).toEqual(['kpatch-pm install']);
  });
  test('where nothing would be taken, no command is offered that would do nothing', () => {
    const pkg = at('1-4', 0);
    const w = staged({ minAge: DAY }, [pkg], 0, { live: false, kernels: [kernel(K)] });
    const [report] = kernelReports(w);
    expect(report).toMatchObject({ verdict: 'not-installed', next: [], rollout: { takes: null, cves: null } });
  });
  test('nothing waits: nothing is said', () => {
    const pkg = at('1-4', 9);
    expect(kernelReports(staged({ minAge: DAY }, [pkg]))[0]?.rollout).toBeNull();
  });
});

test('stageLevels keeps the order and loses nothing', () => {
  const levels = [at('1-4', 0), at('1-3', 2), at('1-2', 0)];
  const { released, waiting } = stageLevels(levels, null, staged({ minAge: DAY }, levels));
  expect(released.map(level)).toEqual(['1-3']);
  expect(waiting.map((wait) => level(wait.package))).toEqual(['1-4', '1-2']);
});

describe('reading the options', () => {
  test.each([
    ['10', [{ percent: 10, after: 0 }]],
    ['12.5%', [{ percent: 12.5, after: 0 }]],
    [
      '5, 25 after 12h, 100 after 7d',
      [
        { percent: 5, after: 0 },
        { percent: 25, after: 43_200 },
        { percent: 100, after: 604_800 },
      ],
    ],
    [
      '0,100 after 1d',
      [
        { percent: 0, after: 0 },
        { percent: 100, after: 86_400 },
      ],
    ],
    ['10 after 1d', [{ percent: 10, after: 86_400 }]],
  ])('percent %s', (text, steps) => expect(parseSteps(text)).toEqual(steps));
  test.each([
    '',
    '101',
    '-1',
    '5x',
    '10, 5 after 1d',
    '5, 10',
    '5 after 1d, 10 after 1d',
    '5 after 1w',
    '5,,10 after 1d',
    'all',
  ])('percent %s cannot be read', (text) => expect(parseSteps(text)).toBeNull());
  test.each([
    ['auto', null],
    ['canary', 0],
    ['last', 99.99],
    ['0', 0],
    ['99.99', 99.99],
    ['web-a', 'web-a'],
  ])('cohort %s', (text, cohort) => expect(parseCohort(text)).toEqual({ cohort }));
  test.each(['', '100', '1.234', '-1', 'a b', '9lives'])('cohort %s cannot be read', (text) =>
    expect(parseCohort(text)).toBeNull(),
  );
  test('severities and CVEs', () => {
    expect(parseSeverities('Critical, important')).toEqual(['critical', 'important']);
    expect(parseSeverities('urgent')).toBeNull();
    expect(parseCves('cve-2024-1086 CVE-2023-4623')).toEqual(['CVE-2024-1086', 'CVE-2023-4623']);
    expect(parseCves('2024-1086')).toBeNull();
  });
});
