// `module list` through the eyes of the programs that read `kpatch list` today.
// Sources: Cockpit pkg/packagekit/kpatch.tsx; insights-core insights/parsers/kpatch_list.py; subscription-manager
// src/rhsmlib/facts/kpatch.py. Their rules, written anew.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { listText, type ModuleList } from '../../src/usecases/module/list.ts';
import { surroundings } from '../support/surroundings.ts';

const K = '5.14.0-362.8.1.el9_3.x86_64';
const MODULE = 'kpatch_5_14_0_362_8_1_1_2';

/** Cockpit: exactly two parts with a blank line between, known headings, the first word of each line. */
function cockpit(text: string): { loaded: string[]; installed: string[] } {
  const parts = text.trim().split('\n\n');
  if (parts.length !== 2) return { loaded: [], installed: [] };
  const names = (part: string | undefined, heading: string): string[] => {
    const [first, ...lines] = (part ?? '').split('\n');
    return first === heading ? lines.map((line) => line.split(' ')[0] ?? '') : [];
  };
  return { loaded: names(parts[0], 'Loaded patch modules:'), installed: names(parts[1], 'Installed patch modules:') };
}

/** Insights: after a heading, a line of two fields is name and state or kernel, brackets stripped. */
function insights(text: string): { loaded: Record<string, string>; installed: Record<string, string[]> } {
  const loaded: Record<string, string> = {};
  const installed: Record<string, string[]> = {};
  let section = '';
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line.endsWith('patch modules:')) section = line;
    else if (line !== '') {
      const [name = '', more = ''] = line.split(/\s+/);
      const value = more.replace(/^[([]|[)\]]$/g, '');
      if (section.startsWith('Loaded')) loaded[name] = value;
      else installed[name] = [...(installed[name] ?? []), value];
    }
  }
  return { loaded, installed };
}

const list = (more: Partial<ModuleList> = {}): string =>
  listText({
    loaded: [{ module: MODULE, enabled: true, transition: false }],
    stalled: [],
    installed: [{ module: MODULE, kernel: K }],
    ...more,
  });

describe('the text', () => {
  test('is that of the utility', () => {
    expect(list()).toBe(`Loaded patch modules:\n${MODULE} [enabled]\n\nInstalled patch modules:\n${MODULE} (${K})\n`);
    expect(list({ loaded: [], installed: [] })).toBe('Loaded patch modules:\n\nInstalled patch modules:\n');
  });
  test.each([
    [true, false, 'enabled'],
    [true, true, 'enabling...'],
    [false, false, 'disabled'],
    [false, true, 'disabling...'],
  ])('enabled %s, transition %s: [%s]', (enabled, transition, word) => {
    expect(list({ loaded: [{ module: MODULE, enabled, transition }] })).toContain(`\n${MODULE} [${word}]\n`);
  });
  test('tasks in the way of a transition come between, as the utility has it', () => {
    const text = list({ stalled: [{ tid: 1780, comm: 'kpm_hold', stack: ['kpm_hold_wait+0x3e/0x90 [kpm_hold]'] }] });
    expect(text.split('\n\n')[1]).toBe('Stalled processes:\n1780 kpm_hold\nstack:\nkpm_hold_wait+0x3e/0x90 [kpm_hold]');
  });
});

describe('its readers', () => {
  test('Cockpit', () => {
    expect(cockpit(list())).toEqual({ loaded: [MODULE], installed: [MODULE] });
    expect(cockpit(list({ loaded: [{ module: MODULE, enabled: true, transition: true }] })).loaded).toEqual([MODULE]);
  });
  test('Insights', () => {
    expect(insights(list())).toEqual({ loaded: { [MODULE]: 'enabled' }, installed: { [MODULE]: [K] } });
  });
});

describe('a whole machine', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'kpm-readers-'));
    mkdirSync(path.join(dir, 'var/lib/kpatch', K), { recursive: true });
    mkdirSync(path.join(dir, 'sys/kernel/livepatch', MODULE), { recursive: true });
    writeFileSync(path.join(dir, 'sys/kernel/livepatch', MODULE, 'enabled'), '1\n');
    writeFileSync(path.join(dir, 'sys/kernel/livepatch', MODULE, 'transition'), '0\n');
    writeFileSync(path.join(dir, 'var/lib/kpatch', K, 'kpatch-5_14_0-362_8_1-1-2.ko'), 'a module\n');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  test('module list is read by both, and RHSM finds kernels and the loaded module by their directories', async () => {
    const around = surroundings({ hostPath: dir, uname: K });
    expect(await main(['module', 'list'], around)).toBe(0);
    expect(cockpit(around.stdout.text)).toEqual({ loaded: [MODULE], installed: [MODULE] });
    expect(insights(around.stdout.text)).toEqual({ loaded: { [MODULE]: 'enabled' }, installed: { [MODULE]: [K] } });
    expect(readdirSync(path.join(dir, 'var/lib/kpatch')).join(' ')).toBe(K);
    expect(readdirSync(path.join(dir, 'sys/kernel/livepatch')).at(-1)).toBe(MODULE);
  });

  test('half-written and foreign files in the directory are no modules', async () => {
    writeFileSync(path.join(dir, 'var/lib/kpatch', K, '.kpatch.ko.kpatch-pm'), '');
    writeFileSync(path.join(dir, 'var/lib/kpatch', K, 'README'), '');
    mkdirSync(path.join(dir, 'var/lib/kpatch', K, 'directory.ko'));
    const around = surroundings({ hostPath: dir, uname: K });
    await main(['module', 'list'], around);
    expect(cockpit(around.stdout.text).installed).toEqual([MODULE]);
  });
});
