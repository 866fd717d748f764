// Our own RPMs in a root of their own, their scriptlets run by real rpm: installed, upgraded, removed; the launcher; the
// package that answers to the utility's name.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AT_START, LATER } from '../../src/cli/environment.ts';
import { buildRpm } from '../support/build-rpm.ts';
import { livePatch } from '../support/elf.ts';
import { needs } from '../support/programs.ts';
import { buildOurRpm, declaring, needsChroot, RpmRoot } from '../support/rpm-root.ts';
import { top } from '../support/top.ts';
import { treeOf } from '../support/tree.ts';

const { version } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8')) as { version: string };

const both = needs('rpmbuild', 'rpm') === describe ? needsChroot() : describe.skip;
both('our RPMs in a root', () => {
  let scratch = '';
  let file = '';
  const utility = (): string => path.join(path.dirname(file), `kpatch-pm-kpatch-${version}-1.noarch.rpm`);
  let n = 0;
  const packages: Record<string, string> = {};
  const made: { remove(): void }[] = [];
  const declare = async (key: string, name: string, ...lines: string[]): Promise<void> => {
    const one = await declaring(name, lines);
    made.push(one);
    packages[key] = one.file;
  };
  beforeAll(async () => {
    scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-installed-'));
    file = buildOurRpm(path.join(scratch, 'one'));
    await declare('base', 'base', 'Version: 1', 'Release: 1', 'Provides: /bin/sh, kmod, util-linux');
    await declare(
      'node16',
      'nodejs',
      'Epoch: 1',
      'Version: 16.20.2',
      'Release: 1',
      'Provides: nodejs(engine) = 16.20.2',
    );
    await declare(
      'node20',
      'nodejs',
      'Epoch: 1',
      'Version: 20.19.1',
      'Release: 1',
      'Provides: nodejs(engine) = 20.19.1',
    );
    await declare('other16', 'nodejs', 'Epoch: 2', 'Version: 16.20.2', 'Release: 1nodesource');
    await declare('other22', 'nodejs', 'Epoch: 2', 'Version: 22.1.0', 'Release: 1nodesource');
    await declare('vendor', 'kpatch', 'Version: 0.9.7', 'Release: 3.el9');
  });
  afterAll(() => {
    for (const one of made) one.remove();
    rmSync(scratch, { recursive: true });
  });

  const emptyRoot = (): RpmRoot => {
    const place = path.join(scratch, `root${n++}`);
    mkdirSync(place);
    return new RpmRoot(place);
  };
  /** With node, and our package in it. */
  const rootWithUs = (...more: string[]): RpmRoot => {
    const root = emptyRoot();
    root.addNode();
    const { status, err } = root.rpm('-i', packages.base as string, packages.node20 as string, file, ...more);
    expect([status, err]).toEqual([0, '']);
    return root;
  };

  test.each([
    ['none', [], false],
    ['epoch 1, 16.20', ['node16'], false],
    ['epoch 1, 20.19', ['node20'], true],
    ['epoch 2, 16.20', ['other16'], false],
    ['epoch 2, 22.1', ['other22'], true],
  ])('nodejs: %s', (_, nodes, good) => {
    const given = ['base', ...nodes].map((name) => packages[name] as string);
    expect(emptyRoot().rpm('-i', '--test', ...given, file).status === 0).toBe(good);
  });

  test('installed it is sound, works, is compiled for its node, and starts nothing though autoupdate stands', () => {
    const root = emptyRoot();
    root.addNode();
    root.write('etc/dnf/plugins/kpatch.conf', '[main]\nautoupdate = True\n');
    expect(root.rpm('-i', packages.base as string, packages.node20 as string, file)).toEqual({
      status: 0,
      out: '',
      err: '',
    });
    expect(root.read('systemctl.log')).toBe(
      '--no-reload preset kpatch-pm.timer kpatch-pm-boot.service kpatch-pm-metrics.timer\n',
    );
    expect(root.run(['/usr/bin/kpatch-pm', '--version'])).toEqual({
      status: 0,
      out: `kpatch-pm ${version}\n`,
      err: '',
    });
    const status = root.run(['/usr/bin/kpatch-pm', 'status']);
    expect([status.status, status.out.split('\n')[0]]).toEqual([0, 'Kpatch update setting: auto']);
    expect(existsSync(path.join(root.path, 'usr/lib/kpatch-pm/chunks/compiled/program.cjs'))).toBe(true);
    const doctor = JSON.parse(root.run(['/usr/bin/kpatch-pm', 'doctor', '--json']).out) as {
      findings: { check: string; state: string }[];
    };
    // Everything that the package places is in its place.
    expect(doctor.findings.filter(({ check }) => check === 'hooks').map(({ state }) => state)).toEqual(['ok']);
    expect(root.rpm('-V', 'kpatch-pm')).toEqual({ status: 0, out: '', err: '' });
    expect(treeOf(path.join(root.path, 'etc')).filter((line) => line.includes('systemd'))).toEqual([]);
  });

  test('an upgrade keeps what was configured, and a removal leaves nothing', () => {
    const root = rootWithUs();
    const next = buildOurRpm(path.join(scratch, 'next'), '--release', '2');
    root.write('etc/kpatch-pm/kpatch-pm.conf', '[main]\nloader = builtin\n');
    root.write('systemctl.log', '');
    expect(root.rpm('-U', next)).toEqual({ status: 0, out: '', err: '' });
    expect(root.read('etc/kpatch-pm/kpatch-pm.conf')).toBe('[main]\nloader = builtin\n');
    // An upgrade switches no unit on or off.
    expect(root.read('systemctl.log')).toBe('');
    expect(root.run(['/usr/bin/kpatch-pm', '--version']).status).toBe(0);
    expect(existsSync(path.join(root.path, 'usr/lib/kpatch-pm/chunks/compiled/program.cjs'))).toBe(true);
    expect(root.rpm('-e', 'kpatch-pm').status).toBe(0);
    expect(root.read('systemctl.log')).toBe(
      '--no-reload disable kpatch-pm.timer kpatch-pm-boot.service kpatch-pm-metrics.timer\n',
    );
    expect(treeOf(root.path, ['var/lib/rpm']).filter((line) => /kpatch/.test(line.split(' ')[0] ?? ''))).toEqual([
      // What a person wrote is kept, as everywhere.
      expect.stringMatching(/^etc\/kpatch-pm\/ /),
      expect.stringMatching(/^etc\/kpatch-pm\/kpatch-pm\.conf\.rpmsave /),
    ]);
  });

  test('a removal on a running system stops the units too', () => {
    const root = rootWithUs();
    mkdirSync(path.join(root.path, 'run/systemd/system'), { recursive: true });
    root.write('systemctl.log', '');
    expect(root.rpm('-e', 'kpatch-pm').status).toBe(0);
    expect(root.read('systemctl.log')?.split('\n')).toEqual([
      expect.stringMatching(/^--no-reload disable /),
      'stop kpatch-pm.timer kpatch-pm-boot.service kpatch-pm-metrics.timer kpatch-pm-healthy.timer kpatch-pm.service',
      'daemon-reload',
      '',
    ]);
  });

  test('without systemctl, as in most images, the scriptlets do nothing', () => {
    const root = emptyRoot();
    root.addNode();
    rmSync(path.join(root.path, 'usr/bin/systemctl'));
    expect(root.rpm('-i', packages.base as string, packages.node20 as string, file)).toEqual({
      status: 0,
      out: '',
      err: '',
    });
    expect(root.rpm('-e', 'kpatch-pm')).toEqual({ status: 0, out: '', err: '' });
  });

  test('the launcher is one process, and node sees nothing of a hostile environment', () => {
    const root = rootWithUs();
    const hostile = Object.fromEntries([...AT_START, ...LATER].map((name) => [name, '/evil']));
    // In the place of node: who it is, what it was given, what it sees.
    rmSync(path.join(root.path, 'usr/bin/node'));
    root.write('usr/bin/node', '#!/bin/sh\necho "$$ $PPID $@"\nenv\n', 0o755);
    const env = { ...hostile, PATH: '/nowhere:/bin', 'BASH_FUNC_exec%%': '() { echo evil; }', ENV: '/evil' };
    const seen = root.run(['/bin/sh', '-c', 'echo $$; exec /usr/bin/kpatch-pm status "a b"'], env);
    const [mine, line = '', ...variables] = seen.out.split('\n');
    expect(line.split(' ').slice(2).join(' ')).toBe('/usr/lib/kpatch-pm/kpatch-pm.cjs status a b');
    // exec: the process that was started is node itself.
    expect(line.split(' ')[0]).toBe(mine);
    const names = variables.map((one) => one.split('=')[0] as string);
    expect(names.filter((name) => [...AT_START, ...LATER].includes(name as never))).toEqual([]);
    expect(names).toContain('PATH');
  });

  test('of several nodes the newest is taken, and none is an error that says what to do', () => {
    const root = rootWithUs();
    root.write('usr/bin/node-22', '#!/bin/sh\necho 22\n', 0o755);
    expect(root.run(['/usr/bin/kpatch-pm', 'status']).out).toBe('22\n');
    for (const name of ['node', 'node-22']) rmSync(path.join(root.path, 'usr/bin', name));
    const none = root.run(['/usr/bin/kpatch-pm', 'status']);
    expect([none.status, none.err]).toEqual([1, expect.stringMatching(/^Error: .*dnf install nodejs/)]);
  });

  describe('kpatch-pm-kpatch', () => {
    test('is refused beside the utility of the vendor, and needs us in the same version', () => {
      const root = rootWithUs();
      expect(root.rpm('-i', '--test', utility()).status).toBe(0);
      expect(root.rpm('-i', packages.vendor as string).status).toBe(0);
      expect(root.rpm('-i', '--test', utility()).err).toMatch(/conflicts with kpatch-pm-kpatch/);
      expect(emptyRoot().rpm('-i', '--test', packages.base as string, utility()).err).toMatch(
        new RegExp(`kpatch-pm = ${version}-1 is needed`),
      );
    });

    test('is the utility: its commands, and a live patch of the vendor that requires it', async () => {
      const root = rootWithUs(utility());
      const kernel = '5.14.0-1.el9.x86_64';
      expect(root.run(['/usr/sbin/kpatch', 'version'])).toEqual({ status: 0, out: '0.9.11\n', err: '' });
      expect(root.run(['/usr/sbin/kpatch', 'list'])).toMatchObject({
        status: 0,
        out: 'Loaded patch modules:\n\nInstalled patch modules:\n',
      });
      expect(root.run(['/usr/sbin/kpatch', 'frobnicate'])).toMatchObject({
        status: 1,
        out: 'subcommand frobnicate not recognized\n',
      });
      const module = path.join(scratch, 'kpatch-5_14_0-1-1-1.ko');
      writeFileSync(module, livePatch({ name: 'kpatch_5_14_0_1_1_1', release: kernel }));
      const place = `/usr/lib/kpatch/${kernel}/${path.basename(module)}`;
      const built = await buildRpm(`
Name: kpatch-patch-5_14_0-1
Version: 1
Release: 1.el9
Summary: Live kernel patching module for kernel-${kernel}
License: GPLv2
Requires: kpatch >= 0.6.1-1
Provides: kpatch-patch = ${kernel}
%global __os_install_post %{nil}
%description
A live patch, with the scriptlets that vendors use.
%install
install -D -m 0755 ${module} %{buildroot}${place}
%post
/usr/sbin/kpatch install -k ${kernel} ${place}
exit 0
%postun
/usr/sbin/kpatch uninstall -k ${kernel} ${path.basename(module)}
exit 0
%files
${place}
`);
      try {
        const without = rootWithUs();
        expect(without.rpm('-i', '--test', built.file).err).toMatch(/kpatch >= 0\.6\.1-1 is needed/);
        expect(root.rpm('-i', built.file)).toMatchObject({ status: 0, out: `installing ${place} (${kernel})\n` });
        expect(root.run(['/usr/sbin/kpatch', 'list']).out).toMatch(
          new RegExp(`Installed patch modules:\nkpatch_5_14_0_1_1_1 \\(${kernel}\\)\n`),
        );
        expect(readdirSync(path.join(root.path, 'var/lib/kpatch', kernel))).toEqual([path.basename(module)]);
        expect(root.rpm('-e', 'kpatch-patch-5_14_0-1').status).toBe(0);
        expect(existsSync(path.join(root.path, 'var/lib/kpatch', kernel, path.basename(module)))).toBe(false);
      } finally {
        built.remove();
      }
    });

    needs('dnf', 'createrepo_c')('with dnf', () => {
      test('comes only by name, or where a live patch requires kpatch; the recommendation of kpatch never takes it', () => {
        const repo = path.join(scratch, 'repo');
        mkdirSync(repo);
        for (const one of [file, utility(), packages.base, packages.node20]) {
          execFileSync('cp', [one as string, repo]);
        }
        const install = (...what: string[]): string[] => {
          execFileSync('createrepo_c', ['-q', repo]);
          const { stdout, stderr } = spawnSync(
            'dnf',
            [
              `--installroot=${path.join(scratch, `dnf${n++}`)}`,
              '--releasever=9',
              `--repofrompath=r,${repo}`,
              '--repo=r',
              '--setopt=gpgcheck=0',
              '--refresh',
              '--assumeno',
              'install',
              ...what,
            ],
            { encoding: 'utf8' },
          );
          const rows = `${stdout}${stderr}`.split('\n').map((line) => line.trim().split(/\s+/));
          return rows
            .filter((row) => row.at(-2) !== undefined && row[3] === 'r')
            .map(([name]) => name as string)
            .sort();
        };
        expect(install('kpatch-pm')).toEqual(['base', 'kpatch-pm', 'nodejs']);
        expect(install('kpatch')).toEqual(['base', 'kpatch-pm', 'kpatch-pm-kpatch', 'nodejs']);
        execFileSync('cp', [packages.vendor as string, repo]);
        expect(install('kpatch-pm')).toEqual(['base', 'kpatch', 'kpatch-pm', 'nodejs']);
        expect(install('kpatch')).toEqual(['kpatch']);
      });
    });
  });
});
