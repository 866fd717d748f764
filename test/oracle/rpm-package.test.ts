// Our own RPMs, by real rpmbuild and rpm: the same bytes each time, what they declare, what rpmlint says. What becomes of them in
// a root is in rpm-installed.test.ts.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bundledPackages } from '../../packaging/rpm/bundled.ts';
import { needs } from '../support/programs.ts';
import { buildOurRpm } from '../support/rpm-root.ts';
import { top } from '../support/top.ts';

const { version } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8')) as { version: string };

needs('rpmbuild', 'rpm')('the RPMs of this checkout', () => {
  let scratch = '';
  let file = '';
  const build = (name: string): string => buildOurRpm(path.join(scratch, name));
  beforeAll(() => {
    scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-package-'));
    file = build('one');
  }, 120_000);
  afterAll(() => rmSync(scratch, { recursive: true }));

  const query = (format: string) => execFileSync('rpm', ['-qp', '--qf', format, file], { encoding: 'utf8' });

  test('two builds give the same bytes', () => {
    build('two');
    const built = readdirSync(path.join(scratch, 'one'));
    expect(built.map((name) => name.replace(version, 'V')).sort()).toEqual([
      'kpatch-pm-V-1.noarch.rpm',
      'kpatch-pm-V-1.src.rpm',
      'kpatch-pm-kpatch-V-1.noarch.rpm',
    ]);
    // The source package tells in which directory it was made; what is in it is the same.
    for (const name of built.filter((name) => !name.endsWith('.src.rpm'))) {
      const [one, two] = ['one', 'two'].map((place) => readFileSync(path.join(scratch, place, name)));
      expect([name, (one as Buffer).equals(two as Buffer)]).toEqual([name, true]);
    }
  }, 120_000);

  test('declares what it bundles and needs', () => {
    const declared = execFileSync('rpm', ['-qp', '--provides', file], { encoding: 'utf8' }).split('\n');
    const bundled = bundledPackages(top).map((one) => `bundled(npm(${one.name})) = ${one.version}`);
    expect(bundled.length).toBeGreaterThan(5);
    expect(declared.filter((line) => line.startsWith('bundled('))).toEqual([...bundled].sort());
    const needed = query('[%{REQUIRENEVRS}\n]').split('\n');
    expect(
      needed
        .filter((line) => !/^(?:rpmlib|config)\(/.test(line))
        .filter(Boolean)
        .sort(),
    ).toEqual([
      '(nodejs(engine) >= 20.19 or nodejs >= 2:20.19)',
      '/bin/sh',
      '/bin/sh',
      '/bin/sh',
      '/bin/sh',
      '/bin/sh',
      'kmod',
      'util-linux',
    ]);
    expect(query('[%{RECOMMENDNEVRS}\n]').trim().split('\n')).toEqual([
      '(kpatch without kpatch-pm-kpatch)',
      '(libdnf5-plugin-actions if libdnf5)',
      '(python3-dnf-plugin-post-transaction-actions if python3-dnf)',
      'xz',
    ]);
  });

  test('names every licence of what it bundles, and brings its text', () => {
    const packages = bundledPackages(top);
    const named = query('%{LICENSE}').split(' AND ');
    const needed = packages.flatMap(({ licence }) => licence.replace(/[()]/g, '').split(/ AND | OR /));
    expect([...new Set(needed)].filter((one) => !named.includes(one))).toEqual([]);
    const brought = spawnSync('sh', ['-c', `rpm2cpio ${file} | cpio -i --quiet --to-stdout '*/LICENSES.bundled'`], {
      encoding: 'utf8',
    }).stdout;
    for (const { name, version: own } of packages) expect(brought).toContain(`\n${name} ${own}: `);
    // Nearly every package has the text; it is the word of the package that counts where it has none.
    expect(brought.match(/permission|licensed under|Redistribution/gi)?.length).toBeGreaterThan(packages.length / 2);
  });

  test('its scriptlets are sound shell, and switch every unit that can be switched', () => {
    const scripts = ['POSTIN', 'PREUN', 'POSTUN'].map((name) => query(`%{${name}}`));
    for (const script of scripts) {
      const checked = spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' });
      expect([checked.status, checked.stderr]).toEqual([0, '']);
    }
    const units = readdirSync(path.join(top, 'packaging/systemd')).filter((name) =>
      /^\[Install\]$/m.test(readFileSync(path.join(top, 'packaging/systemd', name), 'utf8')),
    );
    const [post, preun] = scripts as [string, string];
    for (const script of [/ preset ([^>]*)>/.exec(post), / disable ([^>]*)>/.exec(preun)]) {
      expect(script?.[1]?.trim().split(' ').sort()).toEqual(units.sort());
    }
  });

  needs('rpmlint')('rpmlint', () => {
    test('has nothing to say that is not explained in its configuration', () => {
      const { status, stdout } = spawnSync(
        'rpmlint',
        [
          '-c',
          path.join(top, 'packaging/rpm/rpmlint.toml'),
          path.join(scratch, 'one'),
          path.join(top, 'packaging/rpm/kpatch-pm.spec'),
        ],
        { encoding: 'utf8' },
      );
      expect([status, stdout.split('\n').filter((line) => / [EW]: /.test(line))]).toEqual([0, []]);
      expect(stdout).toMatch(/3 packages and 1 specfiles checked; 0 errors, 0 warnings/);
    });
  });
});
