// Whole screens, compared with the files in screens/ to the last character.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { renderKernels } from '../../../src/cli/render/kernels.ts';
import { renderPlan } from '../../../src/cli/render/plan.ts';
import { renderStatus, VERDICT_MARKS } from '../../../src/cli/render/status.ts';
import type { Style } from '../../../src/cli/render/style.ts';
import { textWidth } from '../../../src/cli/render/width.ts';
import { planFor } from '../../../src/decide/plan.ts';
import { streams } from '../../../src/decide/streams.ts';
import { unseen } from '../../../src/decide/unseen.ts';
import { type KernelReport, kernelReports, type Verdict } from '../../../src/decide/verdict.ts';
import { because } from '../../../src/domain/because.ts';
import type { World } from '../../../src/domain/world.ts';
import { top } from '../../support/top.ts';
import { ge, installedFrom, K, kernel, loaded, offer, repo, world } from '../../support/world.ts';

const EMPTY = '5.14.0-427.13.1.el9_4.x86_64';
const NONE = '5.14.0-503.11.1.el9_5.x86_64';
const FEDORA = '6.5.6-300.fc39.x86_64';
const OLD = '5.14.0-284.11.1.el9_2.x86_64';
const BASE = 'rhel-9-for-x86_64-baseos-rpms';

const from = (release: string, level: string, size: number | null) => offer(release, level, { repo: BASE, size });
const unusable = { ...from(K, '1-3', 6000), requires: [...offer(K, '1-3').requires, ge('kpatch', '99')] };

/** A server before its first run: several kernels, one repository that cannot be read. */
const fresh: World = world({
  kernels: [kernel(K, { running: true }), kernel(EMPTY), kernel(NONE), kernel(FEDORA), kernel(OLD)],
  repositories: [
    repo(BASE),
    repo('extra', {
      used: false,
      fetched: null,
      ageSeconds: null,
      stale: true,
      problem: { code: 'http-status', text: 'https://mirror.example/extra/ answered 404.' },
    }),
  ],
  offered: [from(K, '1-2', 5500), unusable, from(EMPTY, '0-0', 1000), from(OLD, '1-10', 50_000_000)],
  installed: [installedFrom(from(OLD, '1-9', 0), OLD)],
});

/** The same server afterwards, with somebody's own module beside ours. */
const done: World = world({
  ...fresh,
  repositories: [repo(BASE, { ageSeconds: 1860 })],
  installed: [
    installedFrom(from(K, '1-2', 0), K),
    installedFrom(from(EMPTY, '0-0', 0), EMPTY),
    installedFrom(from(OLD, '1-10', 0), OLD, { support: 'own' }),
    {
      kernel: K,
      package: null,
      module: 'mine',
      file: `var/lib/kpatch/${K}/mine.ko`,
      source: 'foreign',
      support: 'unknown',
      changed: null,
    },
  ],
  loaded: [loaded(from(K, '1-2', 0)), { module: 'mine', enabled: true, transition: false }],
});

const style = (width: number, more: Partial<Style> = {}): Style => ({ width, color: false, symbols: true, ...more });
const plan = (of: World, verb: 'auto' | 'install' | 'manual', kernels: string[] = []) =>
  planFor(of, { verb, kernels, load: true });
const status = (of: World, look: Style) => {
  const takes = plan(of, 'install').actions.flatMap((action) =>
    action.do === 'install' || action.do === 'upgrade' ? [action.package] : [],
  );
  const { settings, repositories } = of;
  return renderStatus({ settings, repositories, kernels: kernelReports(of), takes }, look);
};
const kernels = (of: World, look: Style) =>
  renderKernels(
    { settings: of.settings, repositories: of.repositories, streams: streams(of), only: false, unseen: unseen(of) },
    look,
  );

const offeredKernel = (uname: string) => ({
  name: 'kernel-core',
  epoch: 0,
  version: '5.14.0',
  release: '570.1.1.el9_6',
  arch: 'x86_64',
  repo: BASE,
  uname,
  excludedBy: null,
});

const SCREENS: Record<string, () => string> = {
  'plan-80': () => renderPlan(plan(fresh, 'auto'), style(80)),
  'plan-120': () => renderPlan(plan(fresh, 'auto'), style(120)),
  'plan-60': () => renderPlan(plan(fresh, 'auto'), style(60)),
  'plan-80-color': () => renderPlan(plan(fresh, 'install'), style(80, { color: true })),
  'plan-nothing': () => renderPlan(plan(done, 'install'), style(80)),
  'plan-one-kernel': () => renderPlan(plan(fresh, 'install', [EMPTY]), style(80)),
  'plan-setting-only': () => renderPlan(plan(done, 'auto'), style(80)),
  'plan-manual': () =>
    renderPlan(plan(world({ settings: { autoupdate: true, autofilter: false } }), 'manual'), style(80)),
  'plan-manual-again': () => renderPlan(plan(done, 'manual'), style(80)),
  'plan-no-kernel': () => renderPlan(plan(world({ kernels: [] }), 'install'), style(80)),
  'status-80': () => status(fresh, style(80)),
  'status-120': () => status(done, style(120)),
  'status-60-ascii': () => status(done, style(60, { symbols: false })),
  'status-80-color': () => status(done, style(80, { color: true })),
  'status-empty': () => status(world({ kernels: [], repositories: [] }), style(80)),
  'kernels-80': () =>
    kernels(
      {
        ...fresh,
        repositories: [repo(BASE)],
        settings: { autoupdate: true, autofilter: true },
        offeredKernels: [offeredKernel('5.14.0-570.1.1.el9_6.x86_64'), offeredKernel(NONE)],
      },
      style(80),
    ),
  'kernels-60': () => kernels(fresh, style(60)),
};

const shown = (name: string): string =>
  readFileSync(path.join(top, 'test', 'unit', 'cli', 'screens', `${name}.txt`), 'utf8');
const lines = (text: string): string[] => text.replace(/\u001b\[\d+m/g, '').split('\n');

describe('screens', () => {
  test.each(Object.keys(SCREENS))('%s', (name) => {
    expect((SCREENS[name] as () => string)()).toBe(shown(name));
  });

  test.each(Object.keys(SCREENS).filter((name) => /\d$|color|ascii/.test(name)))('%s fits its screen', (name) => {
    const width = Number(/\d+/.exec(name)?.[0]);
    const long = lines((SCREENS[name] as () => string)()).filter((line) => textWidth(line) > width);
    // What cannot be broken may be longer: the line other programs read.
    expect(long.filter((line) => !line.startsWith('Available patches: '))).toEqual([]);
  });

  test('colour changes nothing but the colour', () => {
    expect(lines(renderPlan(plan(fresh, 'auto'), style(80, { color: true }))).join('\n')).toBe(shown('plan-80'));
  });
});

describe('verdicts', () => {
  const report = (verdict: Verdict): KernelReport => ({
    release: K,
    running: true,
    defaultBoot: null,
    subscribed: false,
    installed: [],
    loaded: [],
    available: null,
    held: null,
    verdict,
    because: because('held', 'the reason'),
    next: [],
  });
  const view = (verdict: Verdict) => ({
    settings: { autoupdate: false, autofilter: false },
    repositories: [],
    takes: [],
    kernels: [report(verdict)],
  });
  const line = (verdict: Verdict, look: Style) => lines(renderStatus(view(verdict), look)).find((l) => l.includes(K));

  test.each(Object.keys(VERDICT_MARKS) as Verdict[])('%s has its mark, its word and its reason', (verdict) => {
    const mark = {
      done: ['✓', 'ok'],
      open: ['✗', 'NO'],
      waiting: ['⧗', 'wait'],
      none: ['-', '-'],
      unknown: ['?', '?'],
    };
    const [symbol = '', word = ''] = mark[VERDICT_MARKS[verdict]];
    expect(line(verdict, style(120))).toMatch(
      new RegExp(`^ [${symbol}] ${K.replace(/[.+]/g, '\\$&')} \\* +${verdict} `),
    );
    expect(line(verdict, style(120, { symbols: false }))?.slice(1, 6)).toBe(word.padEnd(5));
    // Plain characters only, where the terminal may know no others.
    expect(renderStatus(view(verdict), style(120, { symbols: false }))).toMatch(/^[\n -~]*$/);
    expect(renderStatus(view(verdict), style(120)).includes('the reason')).toBe(VERDICT_MARKS[verdict] !== 'done');
  });
});

test('foreign text reaches the screen written out', () => {
  const evil = offer(K, '1-2', { repo: 'r\u001b[2J\u202e', name: 'kpatch-patch-5_14_0-362_8_1' });
  const of = world({ offered: [evil], repositories: [repo('r\u001b[2J\u202e')] });
  const text = renderPlan(plan(of, 'install'), style(120)) + status(of, style(120)) + kernels(of, style(120));
  expect(text).toContain('r\\u001b[2J\\u202e');
  expect(text).not.toMatch(/[\u001b\u202e]/);
});
