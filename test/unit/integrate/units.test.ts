// `auto` and `manual` on the running system: the agreement, the timer, the boot unit; and what happens where that is impossible.
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Machine } from '../../../src/host/machine.ts';
import { Root } from '../../../src/host/root.ts';
import { unitState } from '../../../src/host/systemd.ts';
import { ensureBoot, switchUnattended } from '../../../src/pipeline/units.ts';
import { readUnattended } from '../../../src/state/unattended.ts';
import { listener, machineOver } from '../../support/machine.ts';

let dir: string;
let calls: string[];
const put = (name: string): void => {
  mkdirSync(path.join(dir, path.dirname(name)), { recursive: true });
  writeFileSync(path.join(dir, name), '');
};
const UNITS = 'usr/lib/systemd/system';
const enabled = (unit: string, target: string): void => {
  mkdirSync(path.join(dir, `etc/systemd/system/${target}.wants`), { recursive: true });
  symlinkSync(`/${UNITS}/${unit}`, path.join(dir, `etc/systemd/system/${target}.wants`, unit));
};

beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'kpm-units-'));
  calls = [];
  for (const unit of ['kpatch-pm.timer', 'kpatch-pm-boot.service']) put(`${UNITS}/${unit}`);
  mkdirSync(path.join(dir, 'run/systemd/system'), { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** The running system, as far as units go; systemctl is noted and answers as told. */
function machine(more: Partial<Machine> = {}, status = 0, stderr = ''): Machine {
  const base = machineOver(dir);
  return {
    ...base,
    root: Object.defineProperty(new Root(dir), 'isHost', { value: true }),
    host: new Root(dir),
    live: true,
    run: {
      ...base.run,
      run: async (program, args) => {
        calls.push([program, ...args].join(' '));
        return { status, signal: null, stdout: Buffer.alloc(0), stderr };
      },
    },
    ...more,
  };
}
const agreed = () => readUnattended(new Root(dir), process.getuid?.() ?? 0);

describe('auto and manual', () => {
  test('auto: agreement, boot unit, timer; manual takes agreement and timer back, not the boot unit', async () => {
    const ui = listener();
    await switchUnattended(machine(), true, ui);
    expect(calls).toEqual(['systemctl enable kpatch-pm-boot.service', 'systemctl enable --now kpatch-pm.timer']);
    expect(agreed()).toMatchObject({ by: 'admin', since: '2026-01-01T00:00:00.000Z' });
    calls = [];
    await switchUnattended(machine(), false, ui);
    expect(calls).toEqual(['systemctl disable --now kpatch-pm.timer']);
    expect(agreed()).toBeNull();
    expect(ui.warnings).toEqual([]);
    expect(ui.notes).toEqual([
      'Installed live patches are looked after at boot (kpatch-pm-boot.service).',
      'Unattended runs are on (kpatch-pm.timer).',
      'Unattended runs are off (kpatch-pm.timer).',
    ]);
  });

  test('not for another root, a container or a chroot', async () => {
    await switchUnattended(machineOver(dir, null, { live: true }), true, listener());
    await switchUnattended(machine({ live: false }), true, listener());
    expect(calls).toEqual([]);
    expect(existsSync(path.join(dir, 'var/lib/kpatch-pm'))).toBe(false);
  });

  const failures: [string, () => void, RegExp][] = [
    ['systemctl fails', () => undefined, /systemctl enable --now kpatch-pm\.timer failed: no such bus\. Until/],
    ['the unit is not installed', () => rmSync(path.join(dir, UNITS, 'kpatch-pm.timer')), /is not installed/],
    [
      'the unit is masked',
      () => {
        mkdirSync(path.join(dir, 'etc/systemd/system'), { recursive: true });
        symlinkSync('/dev/null', path.join(dir, 'etc/systemd/system/kpatch-pm.timer'));
      },
      /is masked and stays so/,
    ],
  ];
  test.each(failures)('%s: a warning with what it costs, and the agreement stands', async (_name, prepare, text) => {
    prepare();
    const ui = listener();
    await switchUnattended(machine({}, 1, 'no such bus\n'), true, ui);
    expect(ui.warnings.join('\n')).toMatch(text);
    expect(agreed()).not.toBeNull();
  });

  test('systemd does not run: said', async () => {
    rmSync(path.join(dir, 'run'), { recursive: true });
    const ui = listener();
    await switchUnattended(machine(), true, ui);
    expect(calls).toEqual([]);
    expect(ui.notes.join('\n')).toContain('systemd does not run here');
  });
});

describe('after something was installed', () => {
  test('what loads it at boot is enabled, the utility’s unit as its own `install` does', async () => {
    put(`${UNITS}/kpatch.service`);
    await ensureBoot(machine(), listener());
    expect(calls).toEqual(['systemctl enable kpatch-pm-boot.service', 'systemctl enable kpatch.service']);
  });
  test('nothing where it is so already, or masked', async () => {
    put(`${UNITS}/kpatch.service`);
    enabled('kpatch-pm-boot.service', 'multi-user.target');
    symlinkSync('/dev/null', path.join(dir, 'etc/systemd/system/kpatch.service'));
    await ensureBoot(machine(), listener());
    expect(calls).toEqual([]);
  });
});

test('unit states, as systemctl is-enabled tells them', () => {
  const root = new Root(dir);
  put(`${UNITS}/one.service`);
  put('etc/systemd/system/two.service');
  enabled('two.service', 'multi-user.target');
  symlinkSync('/dev/null', path.join(dir, 'etc/systemd/system/three.service'));
  expect(['one', 'two', 'three', 'four'].map((name) => unitState(root, `${name}.service`))).toEqual([
    'disabled',
    'enabled',
    'masked',
    'absent',
  ]);
});
