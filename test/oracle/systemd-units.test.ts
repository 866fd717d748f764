// Our units under systemd's own eyes: they load without a remark, and stay as hardened as docs/services.md says.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { HIDDEN_VERBS } from '../../src/cli/system-verbs.ts';
import type { VerbSpec } from '../../src/cli/verb-spec.ts';
import { VERBS } from '../../src/cli/verbs.ts';
import { needs } from '../support/programs.ts';
import { top } from '../support/top.ts';

const UNITS = path.join(top, 'packaging/systemd');
const units = readdirSync(UNITS).filter((name) => /\.(service|timer)$/.test(name));
const services = units.filter((name) => name.endsWith('.service'));
const text = (name: string): string => readFileSync(path.join(UNITS, name), 'utf8');
/** `Key=` lines of a unit, in order. */
const values = (name: string, key: string): string[] =>
  [...text(name).matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map((match) => match[1] as string);

/** The page quotes what `systemd-analyze security` of systemd 252 says; a newer one may count more things. */
function quoted(service: string): number {
  const row = new RegExp(`\\| \`${service.replaceAll('.', '\\.')}\` \\|.*\\| (\\d\\.\\d) \\|`).exec(
    readFileSync(path.join(top, 'docs/services.md'), 'utf8'),
  );
  if (!row) throw new Error(`docs/services.md has no row for ${service}`);
  return Number(row[1]);
}

needs('systemd-analyze')('systemd-analyze', () => {
  let scratch: string;
  beforeAll(() => {
    scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-units-'));
    // The program is not installed where this is tested.
    for (const name of units)
      writeFileSync(path.join(scratch, name), text(name).replaceAll('/usr/bin/kpatch-pm', '/bin/true'));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  test('verify has no remark', () => {
    const { status, stdout, stderr } = spawnSync(
      'systemd-analyze',
      ['verify', '--man=no', ...units.map((name) => path.join(scratch, name))],
      { encoding: 'utf8' },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test.each(services)('security of %s is as quoted', (name) => {
    const { stdout } = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', '--no-pager', path.join(scratch, name)],
      { encoding: 'utf8' },
    );
    const score = Number(/Overall exposure level for .*: (\d+\.\d+)/.exec(stdout)?.[1]);
    expect(score).toBeLessThanOrEqual(quoted(name) + 0.3);
    expect(score).toBeGreaterThanOrEqual(quoted(name) - 0.5);
  });

  test('the timer names times that exist', () => {
    const [calendar = ''] = values('kpatch-pm.timer', 'OnCalendar');
    expect(spawnSync('systemd-analyze', ['calendar', calendar]).status).toBe(0);
  });
});

describe('what the units promise', () => {
  test('every command is a verb of the program', () => {
    const commands = services.flatMap((name) => [...values(name, 'ExecStart'), ...values(name, 'ExecStop')]);
    expect(commands.length).toBe(5);
    for (const command of commands) {
      const [program, verb, ...all] = command.split(' ');
      // Options, and the file they name.
      const words = all.filter((word) => !/^--|^\$\{/.test(word));
      const spec = [...VERBS, ...HIDDEN_VERBS].find(({ name }) => name === verb) as VerbSpec | undefined;
      expect(program).toBe('/usr/bin/kpatch-pm');
      expect(spec).toBeDefined();
      for (const word of words) expect(spec?.words).toContain(word);
    }
  });

  test('boot comes before kpatch.service and the network, and has no network itself', () => {
    const [before = ''] = values('kpatch-pm-boot.service', 'Before');
    expect(before.split(' ')).toEqual(expect.arrayContaining(['kpatch.service', 'network-pre.target']));
    expect(values('kpatch-pm-boot.service', 'PrivateNetwork')).toEqual(['yes']);
    expect(values('kpatch-pm-boot.service', 'ConditionKernelCommandLine')).toEqual(['!kpatch-pm.enable=0']);
  });

  test('modules may be loaded only where modules are loaded', () => {
    const may = (name: string): boolean => values(name, 'CapabilityBoundingSet').join(' ').includes('CAP_SYS_MODULE');
    expect(services.filter(may)).toEqual(['kpatch-pm-boot.service', 'kpatch-pm.service']);
    for (const name of services) {
      expect([name, values(name, 'ProtectSystem')]).toEqual([name, ['strict']]);
      expect([name, values(name, 'PrivateTmp')]).toEqual([name, ['yes']]);
      expect([name, values(name, 'LimitCORE')]).toEqual([name, ['0']]);
      expect([name, values(name, 'NoNewPrivileges')]).toEqual([name, ['yes']]);
      expect([name, values(name, 'MemoryMax').length]).toEqual([name, 1]);
    }
    // The one place in /run that the program writes to: read-only as all else without it.
    const pair = readFileSync(path.join(top, 'src/host/pair.ts'), 'utf8');
    const place = /^const PLACE = '\/run\/(.*)';$/m.exec(pair)?.[1] ?? 'none';
    for (const name of services) {
      expect([name, values(name, 'RuntimeDirectory')]).toEqual([name, [place]]);
      expect([name, values(name, 'RuntimeDirectoryMode')]).toEqual([name, ['0700']]);
      // Not taken away from a run that is typed while a unit ends.
      expect([name, values(name, 'RuntimeDirectoryPreserve')]).toEqual([name, ['yes']]);
    }
    expect(values('kpatch-pm.service', 'IOSchedulingClass')).toEqual(['idle']);
  });

  test('the timer is randomised, makes up for what was missed, and nothing is switched on by the package', () => {
    expect(values('kpatch-pm.timer', 'Persistent')).toEqual(['true']);
    expect(values('kpatch-pm.timer', 'RandomizedDelaySec')).toEqual(['2h']);
    const preset = text('90-kpatch-pm.preset')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    const installable = units.filter((name) => text(name).includes('[Install]'));
    expect(installable.sort()).toEqual(['kpatch-pm-boot.service', 'kpatch-pm-metrics.timer', 'kpatch-pm.timer']);
    for (const name of installable) expect(preset).toContain(`disable ${name}`);
    expect(preset.every((line) => line.startsWith('disable '))).toBe(true);
  });
});
