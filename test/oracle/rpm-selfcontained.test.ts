// The self-contained variant, by real rpmbuild and rpm, in a root that has no node: it works, it verifies, it refuses to
// do so in FIPS mode. Its node is the one that runs this test.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ownNode } from '../../packaging/rpm/own-node.ts';
import { needs } from '../support/programs.ts';
import { buildOurRpm, declaring, needsChroot, RpmRoot } from '../support/rpm-root.ts';
import { top } from '../support/top.ts';

const { version } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8')) as { version: string };

needs('rpmbuild', 'rpm')('kpatch-pm-selfcontained', () => {
  let scratch = '';
  let file = '';
  let noarch = '';
  let root: RpmRoot;
  const made: { file: string; remove(): void }[] = [];
  beforeAll(async () => {
    scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-selfcontained-'));
    file = buildOurRpm(scratch, '--self-contained');
    noarch = buildOurRpm(scratch);
    made.push(await declaring('base', ['Version: 1', 'Release: 1', 'Provides: /bin/sh, kmod, util-linux']));
    made.push(await declaring('kpatch-pm', [`Version: ${version}`, 'Release: 1']));
    mkdirSync(path.join(scratch, 'root'));
    root = new RpmRoot(path.join(scratch, 'root'));
    root.addLibraries(process.execPath);
  });
  afterAll(() => {
    for (const one of made) one.remove();
    rmSync(scratch, { recursive: true });
  });

  test('says what it carries, and needs the C library of el8', () => {
    const asked = (what: string) => execFileSync('rpm', ['-qp', what, file], { encoding: 'utf8' }).split('\n');
    const own = ownNode(process.execPath);
    expect(asked('--provides')).toEqual(
      expect.arrayContaining([
        `bundled(nodejs) = ${own.version}`,
        `bundled(openssl) = ${own.openssl}`,
        `kpatch-pm = ${version}-1`,
      ]),
    );
    const glibc = asked('--requires').flatMap((line) => /^libc\.so\.6\(GLIBC_2\.(\d+)\)/.exec(line)?.[1] ?? []);
    expect(Math.max(...glibc.map(Number))).toBe(28);
    expect(asked('--requires').filter((line) => line.includes('nodejs'))).toEqual([]);
    const bom = spawnSync('sh', [
      '-c',
      `rpm2cpio ${file} | cpio -i --quiet --to-stdout ./usr/share/kpatch-pm/kpatch-pm-selfcontained.cdx.json`,
    ]);
    const components = (JSON.parse(bom.stdout.toString()) as { components: { name: string; version: string }[] })
      .components;
    expect(components).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'openssl', version: own.openssl })]),
    );
  });

  needs('rpmlint')('rpmlint', () => {
    test('has nothing to say that is not explained in its configuration', () => {
      const args = ['-c', path.join(top, 'packaging/rpm/rpmlint.toml'), file];
      const { status, stdout } = spawnSync('rpmlint', args, { encoding: 'utf8' });
      expect([status, stdout.split('\n').filter((line) => / [EW]: /.test(line))]).toEqual([0, []]);
      expect(stdout).toMatch(/1 packages and 0 specfiles checked; 0 errors, 0 warnings/);
    });
  });

  needsChroot()('in a root', () => {
    test('works where there is no node, and is refused beside the other variant', () => {
      const [base, other] = made.map((one) => one.file) as [string, string];
      // The C and C++ libraries lie there, but no package says so.
      expect(root.rpm('-i', '--nodeps', base, file)).toEqual({ status: 0, out: '', err: '' });
      expect(root.rpm('-V', '--nodeps', 'kpatch-pm-selfcontained')).toEqual({ status: 0, out: '', err: '' });
      expect(root.run(['/usr/bin/kpatch-pm', '--version'])).toEqual({
        status: 0,
        out: `kpatch-pm ${version}\n`,
        err: '',
      });
      const status = root.run(['/usr/bin/kpatch-pm', 'status']);
      expect([status.status, status.out.split('\n')[0]]).toEqual([0, 'Kpatch update setting: manual']);
      expect(root.rpm('-i', '--test', other).err).toMatch(/conflicts with/);

      root.write('proc/sys/crypto/fips_enabled', '1\n');
      const refused = root.run(['/usr/bin/kpatch-pm', 'status']);
      expect([refused.status, refused.out]).toEqual([1, '']);
      expect(refused.err).toMatch(
        /^Error: This system is in FIPS mode, .*\n {2}Use the distribution's nodejs: dnf swap/,
      );
      const told = root.run(['/usr/bin/kpatch-pm', '--json', 'doctor']);
      const { findings } = JSON.parse(told.out) as { findings: { check: string; state: string }[] };
      expect(findings.find(({ check }) => check === 'fips')?.state).toBe('fault');
      root.write('proc/sys/crypto/fips_enabled', '0\n');
      expect(root.run(['/usr/bin/kpatch-pm', 'status']).status).toBe(0);

      expect(root.rpm('-e', '--nodeps', 'kpatch-pm-selfcontained').status).toBe(0);
      expect(root.run(['/usr/bin/kpatch-pm', '--version']).status).not.toBe(0);
    });

    needs('dnf', 'createrepo_c')('dnf swap', () => {
      test('changes over and back, and what was configured and switched on stays', async () => {
        const linked = execFileSync('rpm', ['-qp', '--requires', file], { encoding: 'utf8' })
          .split('\n')
          .filter((line) => /^(?:lib|ld-|rtld)/.test(line));
        const base = await declaring('base', [
          'Version: 1',
          'Release: 1',
          ...['/bin/sh', 'kmod', 'util-linux', ...linked].map((what) => `Provides: ${what}`),
        ]);
        const node = await declaring('nodejs', ['Version: 22.1', 'Release: 1', 'Provides: nodejs(engine) = 22.1']);
        made.push(base, node);
        const place = path.join(scratch, 'swap');
        mkdirSync(place);
        const both = new RpmRoot(place);
        both.addNode();
        expect(both.rpm('-i', base.file, node.file, noarch).status).toBe(0);
        both.write('etc/kpatch-pm/kpatch-pm.conf', '[main]\nloader = builtin\n');
        execFileSync('createrepo_c', ['-q', scratch]);
        for (const [from, to] of [
          ['kpatch-pm', 'kpatch-pm-selfcontained'],
          ['kpatch-pm-selfcontained', 'kpatch-pm'],
        ] as const) {
          both.write('systemctl.log', '');
          const where = [`--installroot=${place}`, '--releasever=9', `--repofrompath=r,${scratch}`, '--repo=r'];
          const swapped = spawnSync(
            'dnf',
            [...where, '--setopt=gpgcheck=0', '--setopt=install_weak_deps=0', '-y', 'swap', from, to],
            { encoding: 'utf8' },
          );
          expect([to, swapped.status]).toEqual([to, 0]);
          expect(both.rpm('-qa', 'kpatch-pm*').out).toBe(
            `${to}-${version}-1.${to === 'kpatch-pm' ? 'noarch' : ownNode(process.execPath).arch}\n`,
          );
          expect(both.read('etc/kpatch-pm/kpatch-pm.conf')).toBe('[main]\nloader = builtin\n');
          // Neither disabled nor set back to the preset.
          expect(both.read('systemctl.log')).toBe('');
          expect(both.read('usr/lib/kpatch-pm/chunks/compiled/program.cjs')).not.toBeNull();
          expect(both.run(['/usr/bin/kpatch-pm', '--version']).status).toBe(0);
          expect(both.rpm('-V', '--nodeps', '--noconfig', to)).toEqual({ status: 0, out: '', err: '' });
        }
      });
    });
  });
});

test('a node that needs libraries of its distribution is not taken', () => {
  const place = mkdtempSync(path.join(os.tmpdir(), 'kpm-node-'));
  try {
    const told = { version: '20.19.0', openssl: '3.0.0', arch: 'x64', shared: ['node_shared_openssl'] };
    const fake = path.join(place, 'node');
    writeFileSync(fake, `#!/bin/sh\necho '${JSON.stringify(told)}'\n`, { mode: 0o755 });
    expect(() => ownNode(fake)).toThrow('needs libraries of this distribution (node_shared_openssl)');
    writeFileSync(fake, `#!/bin/sh\necho '${JSON.stringify({ ...told, shared: [] })}'\n`, { mode: 0o755 });
    expect(() => ownNode(fake)).toThrow('the licence of');
  } finally {
    rmSync(place, { recursive: true });
  }
});
