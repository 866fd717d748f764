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
import { treeOf } from '../support/tree.ts';

const { version } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8')) as { version: string };

needs('rpmbuild', 'rpm')('the RPMs of this checkout', () => {
  let scratch = '';
  let file = '';
  const build = (name: string): string => buildOurRpm(path.join(scratch, name));
  beforeAll(() => {
    scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-package-'));
    file = build('one');
  });
  afterAll(() => rmSync(scratch, { recursive: true }));

  const query = (format: string) => execFileSync('rpm', ['-qp', '--qf', format, file], { encoding: 'utf8' });

  test('two builds give the same bytes', () => {
    build('two');
    const built = readdirSync(path.join(scratch, 'one'));
    expect(built.map((name) => name.replace(version, 'V')).sort()).toEqual([
      'ansible-collection-kpatch_pm-livepatch-V-1.noarch.rpm',
      'kpatch-pm-V-1.noarch.rpm',
      'kpatch-pm-V-1.src.rpm',
      'kpatch-pm-kpatch-V-1.noarch.rpm',
    ]);
    // The source package tells in which directory it was made; what is in it is the same.
    for (const name of built.filter((name) => !name.endsWith('.src.rpm'))) {
      const [one, two] = ['one', 'two'].map((place) => readFileSync(path.join(scratch, place, name)));
      expect([name, (one as Buffer).equals(two as Buffer)]).toEqual([name, true]);
    }
  });

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

  test('brings every page that the program, its units, its man pages or another page names', () => {
    const brought = execFileSync('rpm', ['-qpl', file], { encoding: 'utf8' });
    const sources = ['src', 'docs', 'packaging/systemd', 'packaging/dnf', 'packaging/kernel-install'].flatMap((place) =>
      readdirSync(path.join(top, place), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.\w+$/.test(name))
        .map((name) => readFileSync(path.join(top, place, name), 'utf8')),
    );
    const named = sources.flatMap((text) => [...text.matchAll(/\bdocs\/[\w-]+(?:\/[\w-]+)?\.(?:md|json)\b/g)]);
    const pages = [...new Set(named.map(([page]) => page))];
    expect(pages).toEqual(expect.arrayContaining(['docs/services.md', 'docs/terminology.md', 'docs/evidence.md']));
    expect(pages.filter((page) => !brought.includes(`/${page}\n`))).toEqual([]);
    // Once: as man pages.
    expect(brought).not.toContain('docs/man/');
  });

  needs(
    'ansible-doc',
    'ansible-galaxy',
    'promtool',
    'cpio',
  )('what is for other machines', () => {
    const unpack = (name: string): string => {
      const place = mkdtempSync(path.join(scratch, 'unpacked-'));
      const put = spawnSync('sh', ['-c', `rpm2cpio ${path.join(scratch, 'one', name)} | cpio -idm --quiet`], {
        cwd: place,
        encoding: 'utf8',
      });
      expect([put.status, put.stderr]).toEqual([0, '']);
      return place;
    };

    test('the collection is in a package of its own, whole, where Ansible finds it', () => {
      const name = `ansible-collection-kpatch_pm-livepatch-${version}-1.noarch.rpm`;
      const collections = path.join(unpack(name), 'usr/share/ansible/collections');
      // Modes are those of whoever checked this out.
      const filesOf = (place: string): string[] => treeOf(place).map((line) => line.replace(/ [0-7]+(?= -|$)/, ''));
      const ours = filesOf(path.join(top, 'packaging/ansible'));
      expect(ours.length).toBeGreaterThan(15);
      expect(filesOf(path.join(collections, 'ansible_collections/kpatch_pm/livepatch'))).toEqual(ours);
      const env = { PATH: '/usr/bin:/bin', HOME: scratch, LANG: 'C.UTF-8', ANSIBLE_COLLECTIONS_PATH: collections };
      const ansible = (program: string, ...args: string[]): string =>
        execFileSync(program, args, { encoding: 'utf8', env });
      const listed = ansible('ansible-galaxy', 'collection', 'list', 'kpatch_pm.livepatch', '-p', collections);
      expect(/^kpatch_pm\.livepatch\s+(\S+)/m.exec(listed)?.[1]).toBe(version);
      for (const module of ['livepatch', 'livepatch_info', 'livepatch_key']) {
        const page = JSON.parse(ansible('ansible-doc', '-j', `kpatch_pm.livepatch.${module}`));
        const [{ doc, examples, return: given }] = Object.values(page) as [Record<string, unknown>];
        for (const part of [doc, examples, given]) expect([module, part]).not.toEqual([module, null]);
      }
      // The machine that Ansible runs on need not have kpatch-pm, nor node.
      const needed = execFileSync('rpm', ['-qp', '--requires', path.join(scratch, 'one', name)], { encoding: 'utf8' });
      expect(needed.split('\n').filter((line) => line !== '' && !line.startsWith('rpmlib('))).toEqual([
        'ansible-core >= 2.14',
      ]);
    });

    test('the alert rules are those of the tests, and promtool takes them', () => {
      const rules = path.join(unpack(path.basename(file)), 'usr/share/kpatch-pm/prometheus/kpatch-pm.rules.yml');
      expect(readFileSync(rules, 'utf8')).toBe(
        readFileSync(path.join(top, 'packaging/prometheus/kpatch-pm.rules.yml'), 'utf8'),
      );
      expect(execFileSync('promtool', ['check', 'rules', rules], { encoding: 'utf8' })).toMatch(/SUCCESS: \d+ rules/);
    });
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
      expect(stdout).toMatch(/4 packages and 1 specfiles checked; 0 errors, 0 warnings/);
    });
  });
});
