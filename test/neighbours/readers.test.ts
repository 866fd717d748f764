// Programs that read us, as they do it: the settings file, `list`, and the directories. Each reader is written here the way
// its own source reads; what they conclude must be true. Sources: cockpit-project/cockpit pkg/packagekit/kpatch.tsx;
// candlepin/subscription-manager src/rhsmlib/facts/kpatch.py; RedHatInsights/insights-core insights/parsers/kpatch_list.py;
// sosreport/sos (collects `kpatch list`); the vendor's acceptance test of the dnf plugin.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { parseCase } from '../support/cases/parse.ts';
import { buildStage, type Stage } from '../support/cases/stage.ts';
import { surroundings } from '../support/surroundings.ts';

const K1 = '5.14.0-427.13.1.el9_4.x86_64';
const K2 = '5.14.0-427.16.1.el9_4.x86_64';
const MODULE = 'kpatch_5_14_0_427_13_1_1_2';

let stage: Stage;
beforeEach(() => {
  // The plugin's own file, as its package ships it; K1 runs.
  stage = buildStage(
    parseCase(`@KERNELS
${K1} running
${K2}

@SERVED el9

@CONFIG etc/dnf/plugins/kpatch.conf
[main]
autoupdate=False
autofilter=False
`),
  );
});
afterEach(() => rmSync(stage.path, { recursive: true }));

async function type(...args: string[]): Promise<{ status: number; out: string }> {
  const around = surroundings({ hostPath: stage.path, uname: stage.uname, env: { LC_MESSAGES: 'C' } });
  const status = await main(args, around);
  return { status, out: around.stdout.text };
}

/** What the kernel shows once a module is in. */
function load(module: string, state: { enabled?: string; transition?: string } = {}): void {
  const directory = path.join(stage.path, 'sys/kernel/livepatch', module);
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'enabled'), `${state.enabled ?? '1'}\n`);
  writeFileSync(path.join(directory, 'transition'), `${state.transition ?? '0'}\n`);
}

const conf = () => readFileSync(path.join(stage.path, 'etc/dnf/plugins/kpatch.conf'), 'utf8');

describe('Cockpit', () => {
  /** Its reading of the setting. */
  const auto = () => /autoupdate\s*=\s*True/i.test(conf());
  /** Its package name for a kernel: split at the dash, the last two parts of the release dropped. */
  const packageOf = (uname: string): string => {
    const [version = '', release = ''] = uname.split('-');
    return `kpatch-patch-${version.replaceAll('.', '_')}-${release.split('.').slice(0, -2).join('_')}`;
  };
  /** Its reading of `kpatch list`: exactly two parts, each with its heading; the first word of each line. */
  const parse = (out: string): { loaded: string[]; installed: string[] } | null => {
    const parts = out.trim().split('\n\n');
    if (parts.length !== 2) return null;
    const [one = '', two = ''] = parts;
    if (!one.startsWith('Loaded patch modules:') || !two.startsWith('Installed patch modules:')) return null;
    const names = (part: string) =>
      part
        .split('\n')
        .slice(1)
        .map((line) => line.split(' ')[0] as string);
    return { loaded: names(one), installed: names(two) };
  };

  test('sees the setting after each command, also where the line was written another way', async () => {
    expect(auto()).toBe(false);
    for (const [verb, yes] of [
      ['auto', true],
      ['manual', false],
      ['auto', true],
    ] as const) {
      expect((await type('-y', verb, '--no-load')).status).toBe(0);
      expect(auto()).toBe(yes);
    }
    writeFileSync(path.join(stage.path, 'etc/dnf/plugins/kpatch.conf'), '[main]\nautoupdate = yes\n');
    await type('manual');
    expect(auto()).toBe(false);
  });

  test('finds the package it asks dnf for', async () => {
    expect((await type('list', '--available', packageOf(K1))).out).toContain(`${packageOf(K1)}.x86_64`);
  });

  test('reads the list with nothing, installed, loaded, and in a transition', async () => {
    expect(parse((await type('module', 'list')).out)).toEqual({ loaded: [], installed: [] });
    await type('-y', 'install', '--no-load');
    expect(parse((await type('module', 'list')).out)).toEqual({ loaded: [], installed: [MODULE] });
    load(MODULE);
    expect(parse((await type('module', 'list')).out)).toEqual({ loaded: [MODULE], installed: [MODULE] });
    load(MODULE, { transition: '1' });
    mkdirSync(path.join(stage.path, 'proc/7/task/7'), { recursive: true });
    writeFileSync(path.join(stage.path, 'proc/7/task/7/patch_state'), '0\n');
    writeFileSync(path.join(stage.path, 'proc/7/task/7/comm'), 'slow\n');
    // A stall is told in a part of its own, as the utility does; Cockpit then shows nothing, which is not wrong.
    expect(parse((await type('module', 'list')).out)).toBeNull();
  });
});

describe("the subscription manager's facts", () => {
  const installed = (): string => {
    const place = path.join(stage.path, 'var/lib/kpatch');
    if (!existsSync(place)) return '';
    return readdirSync(place)
      .filter((name) => statSync(path.join(place, name)).isDirectory())
      .join(' ');
  };
  const loaded = (): string | undefined => readdirSync(path.join(stage.path, 'sys/kernel/livepatch')).at(-1);

  test('every directory it counts is a kernel; nothing else of ours lies there, ever', async () => {
    await type('-y', 'install', '--no-load');
    expect(installed()).toBe(K1);
    expect(readdirSync(path.join(stage.path, 'var/lib/kpatch', K1))).toEqual(['kpatch-5_14_0-427_13_1-1-2.ko']);
    load(MODULE);
    expect(loaded()).toBe(MODULE);
    await type('-y', 'remove', 'kpatch-patch-5_14_0-427_13_1');
    expect(
      installed()
        .split(' ')
        .filter((name) => name !== '' && name !== K1),
    ).toEqual([]);
  });
});

test('the Insights parser: after a heading, two fields are name and state or kernel, one field a name', async () => {
  await type('-y', 'install', '--no-load');
  load(MODULE);
  const sections: Record<string, Record<string, string>> = {};
  let section: Record<string, string> | null = null;
  for (const line of (await type('module', 'list')).out.split('\n')) {
    const fields = line.split(/\s+/).filter((field) => field !== '');
    if (line.startsWith('Loaded patch modules:')) section = sections.loaded = {};
    else if (line.startsWith('Installed patch modules:')) section = sections.installed = {};
    else if (section && (fields.length === 2 || fields.length === 1)) {
      section[fields[0] as string] = (fields[1] ?? '').replace(/[[\]()]/g, '');
    } else expect(line).toBe('');
  }
  expect(sections).toEqual({ loaded: { [MODULE]: 'enabled' }, installed: { [MODULE]: K1 } });
});

test('sos: the list ends with 0 whatever it finds, and says nothing on standard error that is not needed', async () => {
  expect((await type('module', 'list')).status).toBe(0);
  load('somebody_else', { enabled: '0' });
  expect((await type('module', 'list')).status).toBe(0);
});

describe("the vendor's acceptance test", () => {
  const word = async () => /^Kpatch update setting: (\S+)$/m.exec((await type('status')).out)?.[1];
  const inBoth = async () => {
    const [one = '', two = ''] = (await type('module', 'list')).out.split('\n\n');
    return [one.includes(MODULE), two.includes(MODULE)];
  };

  test('auto: the file says True, the status says auto, the module is in both sections', async () => {
    expect((await type('-y', 'auto', '--no-load')).status).toBe(0);
    load(MODULE);
    expect(/^autoupdate\s*=\s*True$/m.test(conf())).toBe(true);
    expect(await word()).toBe('auto');
    expect(await inBoth()).toEqual([true, true]);
  });

  test('manual: the file says False, nothing is loaded', async () => {
    await type('-y', 'auto', '--no-load');
    expect((await type('manual')).status).toBe(0);
    expect(/^autoupdate\s*=\s*False$/m.test(conf())).toBe(true);
    expect(await word()).toBe('manual');
    expect((await inBoth())[0]).toBe(false);
  });

  test('install: the setting stays manual, the module is there', async () => {
    expect((await type('-y', 'install', '--no-load')).status).toBe(0);
    expect(await word()).toBe('manual');
    expect((await inBoth())[1]).toBe(true);
  });
});
