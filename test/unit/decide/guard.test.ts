// The crash guard's judgement: which ends of a boot put a module into quarantine, and which do not.
import { describe, expect, test } from '@jest/globals';
import { judgeAttempts } from '../../../src/decide/guard.ts';
import type { Attempt, CrashEvidence } from '../../../src/domain/crashguard.ts';
import type { KernelRelease } from '../../../src/domain/kernel.ts';

const attempt = (more: Partial<Attempt> = {}): Attempt => ({
  kernel: '5.14.0-1.el9.x86_64' as KernelRelease,
  module: 'kpatch_1_1',
  file: 'kpatch-1-1.ko',
  sha256: 'a'.repeat(64),
  since: '2026-01-02T03:04:05.678Z',
  bootId: 'before',
  strikes: 0,
  ...more,
});
const trace = (time: string, kind: CrashEvidence['kind'] = 'pstore'): CrashEvidence => ({
  kind,
  path: kind === 'pstore' ? '/sys/fs/pstore/dmesg-efi-1' : '/var/crash/127.0.0.1-x/vmcore',
  time,
});
const AFTER = '2026-01-02T03:04:09Z';

describe('one attempt', () => {
  const table: [string, Attempt, CrashEvidence[], 'nothing' | 'strike' | 'quarantine'][] = [
    ['a power cut: the marker is there, no trace', attempt(), [], 'strike'],
    ['a power cut on a machine that crashed long ago', attempt(), [trace('2025-06-01T00:00:00Z')], 'strike'],
    ['a crash log of the firmware after the marker', attempt(), [trace(AFTER)], 'quarantine'],
    ['a crash dump after the marker', attempt(), [trace(AFTER, 'vmcore')], 'quarantine'],
    ['firmware that keeps whole seconds: the same second', attempt(), [trace('2026-01-02T03:04:05Z')], 'quarantine'],
    ['the second before', attempt(), [trace('2026-01-02T03:04:04Z')], 'strike'],
    ['an old trace and a new one', attempt(), [trace('2025-06-01T00:00:00Z'), trace(AFTER)], 'quarantine'],
    ['the same end twice, without a trace', attempt({ strikes: 1 }), [], 'quarantine'],
    ['begun in this very boot', attempt({ bootId: 'now' }), [trace(AFTER)], 'nothing'],
    ['judged at an earlier boot and not tried since', attempt({ bootId: null, strikes: 1 }), [trace(AFTER)], 'nothing'],
  ];
  test.each(table)('%s', (_name, one, evidence, expected) => {
    expect(judgeAttempts([one], 'now', evidence)[0]?.do).toBe(expected);
  });

  test('the reason names the trace', () => {
    const [judged] = judgeAttempts([attempt()], 'now', [trace(AFTER, 'vmcore')]);
    expect(judged).toMatchObject({ do: 'quarantine', why: expect.stringContaining('/var/crash/127.0.0.1-x/vmcore') });
  });
});

describe('several attempts', () => {
  const first = attempt({ sha256: 'b'.repeat(64), since: '2026-01-02T03:04:00Z' });
  const last = attempt();

  test('only the one begun last is suspected, in whatever order they are', () => {
    expect(judgeAttempts([first, last], 'now', [trace(AFTER)]).map((one) => one.do)).toEqual(['strike', 'quarantine']);
    expect(judgeAttempts([last, first], 'now', [trace(AFTER)]).map((one) => one.do)).toEqual(['quarantine', 'strike']);
  });

  test('the others never reach quarantine by strikes of which they are innocent', () => {
    const [other] = judgeAttempts([{ ...first, strikes: 1 }, last], 'now', []);
    expect(other).toEqual({ do: 'strike', strikes: 1 });
  });
});

test('a fleet after a power cut: a thousand machines in the middle of a first load, none quarantined', () => {
  const judged = Array.from({ length: 1000 }, (_, n) =>
    judgeAttempts([attempt({ bootId: `machine-${n}` })], 'after', n % 3 === 0 ? [trace('2025-12-31T00:00:00Z')] : []),
  ).flat();
  expect(new Set(judged.map((one) => one.do))).toEqual(new Set(['strike']));
});
