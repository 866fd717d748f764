import { afterAll, describe, expect, test } from '@jest/globals';
import { Root } from '../../../src/host/root.ts';
import { readConfig } from '../../../src/observe/config/config.ts';
import { readKpatchConf } from '../../../src/observe/config/kpatchconf.ts';
import { KPM_OPTIONS } from '../../../src/observe/config/kpm.ts';
import { ALIASES, NOT_HONOURED, OPTIONS, PASSED_OVER } from '../../../src/observe/config/options.ts';
import { isUnreadable, readValue } from '../../../src/observe/config/values.ts';
import { codeOf } from '../../support/code-of.ts';
import { configFrom, removeTrees, requestOf, tree } from '../../support/config-root.ts';

afterAll(removeTrees);

describe('our own options', () => {
  const KEY = '0123456789ABCDEF0123456789ABCDEF01234567';

  test('without a file: the defaults of the table', () => {
    expect(configFrom({}).kpm).toEqual({
      loader: 'auto',
      allowUnsigned: false,
      lockTimeout: 0,
      stallSignal: 30,
      stallGiveUp: 90,
      pinFirstSigner: true,
      keyExpiryWarning: 30 * 86_400,
      maintenanceWindow: [{ days: [0, 1, 2, 3, 4, 5, 6], from: 0, to: 1440 }],
      freezeUntil: '',
      onConflict: 'warn',
      rollout: { steps: [{ percent: 100, after: 0 }], cohort: null, minAge: 0, bypassSeverity: [], bypassCves: [] },
      pinnedKeys: [],
      files: [],
    });
    expect(KPM_OPTIONS.map(({ key }) => key)).toEqual([
      'loader',
      'allow_unsigned',
      'lock_timeout',
      'stall_signal',
      'stall_give_up',
      'pin_first_signer',
      'key_expiry_warning',
      'maintenance_window',
      'freeze_until',
      'min_age',
      'rollout.percent',
      'rollout.cohort',
      'rollout.bypass_severity',
      'rollout.bypass_cves',
      'on_conflict',
    ]);
  });

  test('the file, then conf.d by name', () => {
    const { kpm, notices } = configFrom({
      'etc/kpatch-pm/kpatch-pm.conf': '[main]\nloader=kpatch\nallow_unsigned=1\nlock_timeout=5m\n',
      'etc/kpatch-pm/conf.d/20-b.conf': `[main]\nloader = builtin\n[pins]\nrhel=${KEY.toLowerCase()}\n`,
      'etc/kpatch-pm/conf.d/10-a.conf': '[main]\nloader=auto\nstall_give_up=2m\n',
    });
    expect(kpm).toMatchObject({
      loader: 'builtin',
      allowUnsigned: true,
      lockTimeout: 300,
      stallGiveUp: 120,
      pinnedKeys: [{ stream: 'rhel', fingerprints: [KEY] }],
    });
    expect(kpm.files.map((file) => file.replace(/.*\//, ''))).toEqual(['kpatch-pm.conf', '10-a.conf', '20-b.conf']);
    expect(notices).toEqual([]);
  });

  test('what cannot be read is named with its line, and the default counts', () => {
    const { kpm, notices } = configFrom({
      'etc/kpatch-pm/kpatch-pm.conf': `[main]\nloader=magic\nallow_unsigned=perhaps\nnonsense=1\n[pins]\nrhel=ABCD ${KEY}\nsuse=\n`,
    });
    expect(kpm).toMatchObject({ loader: 'auto', allowUnsigned: false });
    // A pin that cannot be read never widens what is trusted.
    expect(kpm.pinnedKeys).toEqual([
      { stream: 'rhel', fingerprints: [KEY] },
      { stream: 'suse', fingerprints: [] },
    ]);
    expect(notices.map(({ text }) => /line (\d)/.exec(text)?.[1]).sort()).toEqual(['2', '3', '4', '6', '7']);
  });

  test('--kpm-config FILE is a file of the host, alone, and must be there', () => {
    const hostRoot = new Root(tree({ 'k.conf': '[main]\nloader=builtin\n' }));
    const files = { 'etc/kpatch-pm/conf.d/10-a.conf': '[main]\nloader=kpatch\n' };
    expect(configFrom(files, { hostRoot, kpmConfigFile: '/k.conf' }).kpm.loader).toBe('builtin');
    const root = new Root(tree(files));
    expect(codeOf(() => readConfig(root, requestOf({ hostRoot, kpmConfigFile: '/none' })))).toBe('config-missing');
  });
});

describe('the table of options', () => {
  test('every default can be read, every name is told once', () => {
    for (const row of OPTIONS) {
      if (row.default !== null) expect([row.key, isUnreadable(readValue(row, row.default))]).toEqual([row.key, false]);
    }
    const names = [...OPTIONS.map(({ key }) => key), ...Object.keys(ALIASES), ...Object.keys(NOT_HONOURED)];
    expect(new Set(names).size).toBe(names.length);
    expect(OPTIONS.filter(({ key }) => PASSED_OVER.has(key)).map(({ key }) => key)).toEqual([]);
  });
});

describe('kpatch.conf of a root', () => {
  const read = (files: Record<string, string>, directories?: string[]) =>
    readKpatchConf(new Root(tree(files)), directories);

  test('there', () => {
    const conf = read({ 'etc/dnf/plugins/kpatch.conf': '[main]\nautoupdate = True\nautofilter=maybe\n' });
    expect(conf).toMatchObject({ autoupdate: true, autofilter: false, path: 'etc/dnf/plugins/kpatch.conf' });
    expect(conf.file).toMatch(/\/etc\/dnf\/plugins\/kpatch\.conf$/);
    expect(conf.notices).toEqual([
      { code: 'kpatch-conf-odd', text: expect.stringMatching(/kpatch\.conf line 3: .*taken as off\.$/) },
    ]);
  });

  test('not there: both off, and where it is to be made', () => {
    expect(read({})).toEqual({
      autoupdate: false,
      autofilter: false,
      file: null,
      path: 'etc/dnf/plugins/kpatch.conf',
      notices: [],
    });
  });

  test('the first directory of pluginconfpath that has it', () => {
    const files = { 'b/kpatch.conf': '[main]\nautoupdate=1\n', 'c/kpatch.conf': '[main]\nautoupdate=0\n' };
    expect(read(files, ['/a', '/b', '/c'])).toMatchObject({ autoupdate: true, path: 'b/kpatch.conf' });
    expect(read({}, ['/a', '/b'])).toMatchObject({ path: 'a/kpatch.conf' });
  });
});
