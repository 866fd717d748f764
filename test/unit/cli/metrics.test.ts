// Metrics that a strict reader of the text format takes; Nagios lines that say no more than is known.
import { describe, expect, test } from '@jest/globals';
import { type MetricsView, metricsText, nagiosLine } from '../../../src/cli/render/metrics.ts';
import type { CveReport } from '../../../src/decide/cves.ts';
import type { RebootReport } from '../../../src/decide/reboot.ts';
import type { KernelReport, Verdict } from '../../../src/decide/verdict.ts';
import type { Proof, Verification } from '../../../src/decide/verify.ts';
import type { Advisory } from '../../../src/domain/advisory.ts';
import type { QuarantinedModule } from '../../../src/domain/crashguard.ts';
import { K, repo, world } from '../../support/world.ts';

const reboot: RebootReport = { answer: 'no', text: '', running: K, newer: null, waiting: [], blind: null, next: [] };
const verification = (proof: Proof): Verification => ({
  release: K,
  running: true,
  proof,
  layers: [],
  first: proof === 'protected' ? null : { name: 'kernel', state: 'broken', text: 'a | b\nc', mend: null },
});
const kernel = (verdict: Verdict, release: string = K) => ({ release, running: true, verdict }) as KernelReport;
const view = (more: Partial<MetricsView> = {}): MetricsView => ({
  world: world(),
  version: '1.0',
  kernels: [kernel('protected')],
  verification: verification('protected'),
  cves: [],
  reboot,
  ...more,
});

const LABELS = String.raw`\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z]+="(?:[^"\\\n]|\\["\\n])*")*\}`;
const SAMPLE = new RegExp(`^kpatch_pm_[a-z_]+(?:${LABELS})? -?[0-9]+(?:\\.[0-9]+)?$`);

test('every line is a sample, or the help or type of the samples that follow; no sample comes twice', () => {
  const hostile = 'a"b\\c\nd\u202ee';
  const strange = view({
    version: hostile,
    kernels: [kernel('protected', hostile)],
    world: world({ repositories: [repo(hostile)] }),
  });
  const text = metricsText(strange);
  expect(text.endsWith('\n')).toBe(true);
  const samples: string[] = [];
  let type = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const found = /^# TYPE (kpatch_pm_[a-z_]+) gauge$/.exec(line);
    if (found) type = found[1] as string;
    else if (!line.startsWith('# HELP kpatch_pm_')) {
      expect(line).toMatch(SAMPLE);
      expect(line.startsWith(`${type}{`) || line.startsWith(`${type} `)).toBe(true);
      samples.push(line.slice(0, line.lastIndexOf(' ')));
    }
  }
  expect(new Set(samples).size).toBe(samples.length);
});

test('what cannot be told is left out, not called zero', () => {
  const text = metricsText(view({ verification: null }));
  expect(text).not.toContain('kpatch_pm_protected');
  expect(text).not.toContain('kpatch_pm_cves');
  expect(metricsText(view({ verification: verification('cannot-tell') }))).not.toContain('kpatch_pm_protected');
});

test('what waits, what crashed, and since when fixes are out', () => {
  const advisory = (cve: string, issued: string) => ({ cves: [cve], issued }) as unknown as Advisory;
  const cve = (id: string, state: CveReport['state']) => ({ cve: id, state }) as CveReport;
  const rollout = { published: 1_700_000_000 } as KernelReport['rollout'];
  const text = metricsText(
    view({
      kernels: [{ ...kernel('update-available'), ...(rollout ? { rollout } : {}) }, kernel('protected', 'other')],
      cves: [cve('CVE-1', 'available'), cve('CVE-2', 'available'), cve('CVE-3', 'fixed'), cve('CVE-4', 'reboot')],
      world: world({
        advisories: [
          advisory('CVE-1', '1720000000'),
          advisory('CVE-1', '1710000000'),
          advisory('CVE-2', '1715000000'),
          advisory('CVE-3', '1600000000'),
        ],
        quarantined: [{ kernel: K, module: 'kpatch_bad' } as QuarantinedModule],
      }),
    }),
  );
  expect(text.match(/^kpatch_pm_oldest_fix.*$/gm)).toEqual([
    `kpatch_pm_oldest_fix_time_seconds{kernel="${K}",state="available"} 1710000000`,
  ]);
  expect(text).toContain(`kpatch_pm_quarantined{kernel="${K}",module="kpatch_bad"} 1`);
  expect(text.match(/^kpatch_pm_rollout.*$/gm)).toEqual([
    `kpatch_pm_rollout_held{kernel="${K}"} 1`,
    'kpatch_pm_rollout_held{kernel="other"} 0',
    `kpatch_pm_rollout_published_time_seconds{kernel="${K}"} 1700000000`,
  ]);
});

describe('nagios', () => {
  test.each<[string, Partial<MetricsView>, number, string]>([
    ['protected', {}, 0, 'OK'],
    [
      'an older level runs',
      { verification: verification('not-protected'), kernels: [kernel('update-available')] },
      1,
      'WARNING',
    ],
    [
      'nothing runs',
      { verification: verification('not-protected'), kernels: [kernel('installed-not-loaded')] },
      2,
      'CRITICAL',
    ],
    [
      'nothing installed',
      { verification: verification('not-protected'), kernels: [kernel('not-installed')] },
      2,
      'CRITICAL',
    ],
    ['no stream', { verification: verification('not-protected'), kernels: [kernel('no-patch-stream')] }, 1, 'WARNING'],
    ['stale', { verification: verification('cannot-tell') }, 3, 'UNKNOWN'],
    ['nothing of this root runs', { verification: null }, 3, 'UNKNOWN'],
  ])('%s', (_what, more, status, word) => {
    const found = nagiosLine(view(more));
    expect([found.status, found.line.startsWith(`KPATCH ${word} - `)]).toEqual([status, true]);
    // One line, one bar: what follows it is the perfdata.
    expect([found.line.split('\n').length, found.line.split('|').length]).toEqual([2, 2]);
  });

  test('a count that leaves out what could not be read is no count', () => {
    expect(nagiosLine(view({ reboot: { ...reboot, blind: 'x' } })).line).toContain('open_cves=U');
    expect(nagiosLine(view()).line).toContain('open_cves=0');
  });
});
