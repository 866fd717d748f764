// Loading through systemd where SELinux enforces: which way is taken, and what comes of it, with stand-ins for the programs.
// The real domain is entered on real kernels only (test/vm, case selinux).
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chooseWay, runAsService, selinuxEnforces } from '../../../src/apply/load/domain.ts';
import { auditedSince } from '../../../src/apply/load/klog.ts';
import { kpatchLoader } from '../../../src/apply/load/kpatch.ts';
import { DEFAULT_TIMES, realStopwatch } from '../../../src/apply/load/times.ts';
import { Root } from '../../../src/host/root.ts';
import { type Run, realRun } from '../../../src/host/run.ts';

describe('the way', () => {
  const all = { selinuxEnforcing: true, systemdRuns: true, systemdRun: true };
  test.each([
    ['kpatch', all, 'service'],
    ['builtin', all, 'direct'],
    ['kpatch', { ...all, selinuxEnforcing: false }, 'direct'],
    ['kpatch', { ...all, systemdRuns: false }, 'direct'],
    ['kpatch', { ...all, systemdRun: false }, 'direct'],
  ] as const)('%s, %j: %s', (loader, around, way) => {
    expect(chooseWay(loader, around)).toBe(way);
  });
});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-domain-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Real processes, but of these scripts in the place of the programs. */
function standIns(scripts: Readonly<Record<string, string>>): Run {
  for (const [name, text] of Object.entries(scripts)) {
    const file = path.join(directory, name);
    writeFileSync(file, `#!/bin/sh\necho "${name} $*" >>${directory}/calls\n${text}\n`);
    chmodSync(file, 0o755);
  }
  const file = (program: string): string => {
    const name = path.basename(program);
    return name in scripts ? path.join(directory, name) : `/nonexistent/${name}`;
  };
  return {
    ...realRun,
    which: (program) => realRun.which(file(program)),
    run: (program, args, options) => realRun.run(file(program), args, options),
  };
}

const calls = (): string[] => readFileSync(path.join(directory, 'calls'), 'utf8').trim().split('\n');
const UNIT = 'kpatch-pm-load-m.service';
const asService = (run: Run) => runAsService(run, UNIT, ['/usr/sbin/kpatch', 'load', '/f.ko'], 1000);

describe('a transient service', () => {
  test('is a oneshot of its own name, which is waited for', async () => {
    const result = await asService(standIns({ 'systemd-run': 'echo "Running as unit: x" >&2' }));
    expect([result?.status, result?.stderr]).toEqual([0, '']);
    expect(calls()).toEqual([
      `systemd-run --collect --unit=${UNIT} --property=Type=oneshot --property=TimeoutStartSec=1 -- /usr/sbin/kpatch load /f.ko`,
    ]);
  });
  test('that fails: its words are those of the journal', async () => {
    const failing = 'echo "Job for x.service failed because the control process exited with error code." >&2; exit 1';
    const result = await asService(standIns({ 'systemd-run': failing, journalctl: 'echo "kpatch: failed"' }));
    expect([result?.status, result?.stderr]).toEqual([1, 'kpatch: failed\n']);
    expect(calls()[1]).toBe('journalctl -q --sync');
    expect(calls()[2]).toBe(`journalctl -q -b -o cat -n 200 _SYSTEMD_UNIT=${UNIT}`);
    expect((await asService(standIns({ 'systemd-run': failing })))?.stderr).toBe('');
    expect((await asService(standIns({ 'systemd-run': failing, journalctl: 'echo x; exit 1' })))?.stderr).toBe('');
  });
  test('that systemd would not start: nothing happened', async () => {
    expect(await asService(standIns({ 'systemd-run': 'echo "Failed to connect to bus: x" >&2; exit 1' }))).toBeNull();
  });
});

describe('the utility as loader', () => {
  const said: string[] = [];
  const insert = (run: Run) => {
    const common = { run, sys: new Root(directory), times: DEFAULT_TIMES, stopwatch: realStopwatch };
    const loader = kpatchLoader({
      ...common,
      path: '/usr/sbin/kpatch',
      way: 'service',
      detail: (text) => said.push(text),
    });
    return loader.insert({ module: 'm', fd: 0, path: '/f.ko' });
  };
  test('is started by systemd', async () => {
    expect((await insert(standIns({ 'systemd-run': '' }))).answer).toEqual({ kind: 'ok' });
    expect(calls()).toHaveLength(1);
  });
  test('is started directly where systemd does not, and that is said', async () => {
    expect((await insert(standIns({ 'systemd-run': 'exit 1', kpatch: '' }))).answer).toEqual({ kind: 'ok' });
    expect(calls()[1]).toBe('kpatch load /f.ko');
    expect(said).toEqual([expect.stringContaining('started directly')]);
  });
  test('its refusal is told by the journal', async () => {
    const run = standIns({
      'systemd-run': 'echo "Job for x failed." >&2; exit 1',
      journalctl: 'echo "insmod: ERROR: could not insert module /f.ko: Permission denied"',
    });
    const { answer, text } = await insert(run);
    expect([answer.kind, text]).toEqual(['refused', expect.stringContaining('Permission denied')]);
  });
});

describe('what is read of the machine', () => {
  const put = (name: string, text: string): Root => {
    mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    writeFileSync(path.join(directory, name), text);
    return new Root(directory);
  };
  test('whether SELinux enforces', () => {
    expect(selinuxEnforces(new Root(directory))).toBe(false);
    expect(selinuxEnforces(put('sys/fs/selinux/enforce', '0'))).toBe(false);
    expect(selinuxEnforces(put('sys/fs/selinux/enforce', '1'))).toBe(true);
  });
  test('denials since the load began, of a log of any length', () => {
    const avc = (seconds: number, what: string): string =>
      `type=AVC msg=audit(${seconds}.120:77): avc:  denied  { ${what} } for  pid=1 comm="insmod" permissive=0\n`;
    const noise = 'type=SYSCALL msg=audit(1767225661.120:77): arch=c000003e syscall=313\n'.repeat(10_000);
    const root = put(
      'var/log/audit/audit.log',
      avc(1767225661, 'long_ago_in_a_long_log') + noise + avc(1767225600, 'before') + avc(1767225660, 'module_load'),
    );
    const found = auditedSince(root, new Date('2026-01-01T00:01:00.500Z'));
    expect(found).toEqual([expect.stringContaining('module_load')]);
    expect(auditedSince(new Root(mkdtempSync(path.join(directory, 'empty'))), new Date())).toEqual([]);
  });
});
