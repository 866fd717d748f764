// Live patches of one's own: real modules out of the kernel's build system, packages by rpmbuild, rpmsign and createrepo_c, taken
// by rpm, by dnf and by kpatch-pm.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { tool } from '../../repo-fixtures/builder/tools.ts';
import { takeFlock } from '../../src/host/flock.ts';
import { type Run, realRun } from '../../src/host/run.ts';
import { merged } from '../../src/usecases/publish/advisory.ts';
import { publish } from '../../src/usecases/publish/publish.ts';
import type { PublishRequest } from '../../src/usecases/publish/request.ts';
import { buildRpm } from '../support/build-rpm.ts';
import { runOn } from '../support/bundle.ts';
import { KERNELS, type ScratchRoot, scratchRoot } from '../support/fixtures.ts';
import { listener, machineOver } from '../support/machine.ts';
import { needs, needsThat } from '../support/programs.ts';
import { command, K1, KEYS, NAME, PUBLISHERS, Publishing, RELEASE } from '../support/publishing.ts';
import { headers, realModules } from '../support/real-module.ts';
import { faults, undescribed } from '../support/schema.ts';
import { top } from '../support/top.ts';

const publishing = new Publishing();
const { at, gpg, env } = publishing;
const typed = publishing.typed.bind(publishing);
const moduleFile = publishing.moduleFile.bind(publishing);
afterAll(() => publishing.close());

const builders = needs(...PUBLISHERS, 'gcc', 'openssl', 'rpm');
builders('published', () => {
  beforeAll(() => publishing.importKey());

  needsThat(headers() !== null, 'linux-headers-amd64')('a stream of real modules', () => {
    let root: ScratchRoot;
    let modules: Map<string, Buffer>;
    const file = (level: string): string => at(`kpatch-5_14_0-427_13_1-${level}.ko`);
    const pkg = (level: string): string => at(`site/Packages/${NAME}-${level}.el9_4.x86_64.rpm`);
    beforeAll(() => {
      const names = ['1-1', '1-2'].map((level) => `kpatch-5_14_0-427_13_1-${level}`);
      modules = realModules(names, K1);
      for (const [name, bytes] of modules) writeFileSync(at(`${name}.ko`), bytes);
      const repos = `[site]\nbaseurl=file://${at('site')}\ngpgkey=file://${at('site')}/RPM-GPG-KEY-0F6AB0C2B5D41D1B\ngpgcheck=1\nrepo_gpgcheck=1\n`;
      root = scratchRoot({ repos });
    });
    afterAll(() => root.remove());

    test('the empty package, then a level: published as typed in the documentation', async () => {
      const empty = await typed(...command('site', '--empty', '--json'));
      expect([empty.status, empty.err]).toEqual([0, '']);
      const told = await typed(
        ...command(
          'site',
          file('1-1'),
          '--version',
          '1',
          '--release',
          '1',
          '--cve',
          'CVE-2024-1086',
          '--changelog',
          'netfilter: 100% of it',
          '--json',
        ),
      );
      expect([told.status, told.err]).toEqual([0, '']);
      const schema = JSON.parse(readFileSync(path.join(top, 'docs/schemas/publish.json'), 'utf8'));
      for (const value of [empty, told].map(({ out }) => JSON.parse(out))) {
        expect([faults(schema, value), undescribed(schema, value)]).toEqual([[], []]);
      }
      expect(JSON.parse(told.out)).toMatchObject({
        nevra: `${NAME}-1-1.el9_4.x86_64`,
        module: 'kpatch_5_14_0_427_13_1_1_1',
        replaces: `${NAME}-0-0.el9_4.x86_64`,
        cves: ['CVE-2024-1086'],
        signer: { fingerprint: RELEASE },
      });
      // What lies there is the package, the metadata and the key; nothing of the way there is left.
      expect(readdirSync(at('site')).sort()).toEqual(['Packages', 'RPM-GPG-KEY-0F6AB0C2B5D41D1B', 'repodata']);
      // Two were built. Others, too, may be building in /var/tmp, so only our own directories are asked for.
      expect(publishing.workshops.map((place) => [path.dirname(place), existsSync(place)])).toEqual([
        ['/var/tmp', false],
        ['/var/tmp', false],
      ]);
    });
    test('rpm -K takes the signature, and the package says what the vendor says', () => {
      const db = at('db');
      mkdirSync(db);
      tool('rpmkeys', ['--dbpath', db, '--import', at('site/RPM-GPG-KEY-0F6AB0C2B5D41D1B')]);
      const checked = tool('rpm', ['--dbpath', db, '-Kv', pkg('1-1')]).toString();
      expect(checked).toMatch(/Header V4 RSA\/SHA256 Signature.*: OK/);
      const ask = (what: string): string[] =>
        tool('rpm', ['--dbpath', db, '-qp', what, pkg('1-1')])
          .toString()
          .trim()
          .split('\n');
      expect(ask('--provides')).toEqual([
        'kpatch-patch = 5.14.0-427.13.1.el9_4',
        `kpatch-patch = ${K1}`,
        `${NAME} = 1-1.el9_4`,
        `${NAME}(x86-64) = 1-1.el9_4`,
        'livepatch-support(own)',
      ]);
      expect(ask('--requires').filter((one) => !one.startsWith('rpmlib'))).toEqual([
        '/bin/sh',
        '/bin/sh',
        `kernel-uname-r = ${K1}`,
        'kpatch >= 0.6.1-1',
        'systemd',
      ]);
      expect(ask('--conflicts')).toEqual([`${NAME} < 1-1.el9_4`]);
      expect(ask('--obsoletes')).toEqual(['']);
      expect(ask('-l')).toEqual([
        '/usr/lib/kpatch',
        `/usr/lib/kpatch/${K1}`,
        `/usr/lib/kpatch/${K1}/kpatch-5_14_0-427_13_1-1-1.ko`,
      ]);
      expect(ask('--changelog').join('\n')).toMatch(
        /\[1-1\.el9_4\]\n- kernel: netfilter: 100% of it \{CVE-2024-1086\}/,
      );
      // The module is the one that was given, to the byte.
      const copied = tool('sh', [
        '-c',
        `cd ${publishing.directory} && rpm2cpio ${pkg('1-1')} | cpio -i --quiet --to-stdout './usr/lib/kpatch/*.ko'`,
      ]);
      expect(copied.equals(modules.get('kpatch-5_14_0-427_13_1-1-1') as Buffer)).toBe(true);
    });
    test('kpatch-pm auto takes it, calls it own, and takes the next level', async () => {
      const first = await runOn(root, ['-y', 'auto']);
      expect([first.status, first.out]).toEqual([0, expect.stringContaining(`Installed:\n  ${NAME}-1-1.el9_4.x86_64`)]);
      const second = await typed(
        ...command('site', file('1-2'), '--version', '1', '--release', '2', '--cve', 'CVE-2024-26581'),
      );
      expect([second.status, second.out]).toEqual([
        0,
        expect.stringContaining('Fixes       : CVE-2024-1086, CVE-2024-26581'),
      ]);
      const next = await runOn(root, ['-y', '--refresh', 'auto']);
      expect([next.status, next.out]).toEqual([0, expect.stringContaining(`Upgraded:\n  ${NAME}-1-2.el9_4.x86_64`)]);
      expect(readdirSync(root.at(`var/lib/kpatch/${K1}`))).toEqual(['kpatch-5_14_0-427_13_1-1-2.ko']);
      expect((await runOn(root, ['status'])).out.replace(/\s+/g, ' ')).toContain(
        `${NAME}-1-2.el9_4.x86_64 is your own, not the vendor's`,
      );
      const { kernels } = JSON.parse((await runOn(root, ['status', '--json'])).out);
      expect(kernels[0].installed).toEqual([expect.objectContaining({ support: 'own', source: 'kpatch-pm' })]);
      expect((await runOn(root, ['info', '--installed'])).out).toMatch(/Support {6}: your own, not the vendor's/);
      const { packages } = JSON.parse((await runOn(root, ['list', '--json', '--showduplicates'])).out);
      expect(packages.map((one: { support?: string }) => one.support)).toEqual(packages.map(() => 'own'));
      // Without a receipt the rpm database says it.
      rmSync(root.at('var/lib/kpatch-pm/receipts'), { recursive: true });
      const { kernels: known } = JSON.parse((await runOn(root, ['status', '--json'])).out);
      expect(known[0].installed).toEqual([expect.objectContaining({ support: 'own', source: 'rpm' })]);
    });
    needs('dnf')('dnf', () => {
      test('installs the subscription and upgrades to the newest level', async () => {
        // What a real system has besides the fixture kernels.
        const base = await buildRpm(
          `Name: base\nVersion: 1\nRelease: 1\nSummary: base\nLicense: MIT\nBuildArch: noarch\nProvides: systemd, /bin/sh\n%description\nx\n%files\n`,
        );
        const other = scratchRoot({ repos: '' });
        try {
          mkdirSync(at('base'));
          copyFileSync(base.file, at('base/base-1-1.noarch.rpm'));
          tool('createrepo_c', ['-q', at('base')]);
          const repos = [`--repofrompath=site,file://${at('site')}`, `--repofrompath=base,file://${at('base')}`];
          const options = [
            '-q',
            '-y',
            `--installroot=${other.path}`,
            '--releasever=9',
            '--forcearch=x86_64',
            '--disablerepo=*',
            ...repos,
          ];
          const checks = [
            '--setopt=site.gpgcheck=1',
            '--setopt=base.gpgcheck=0',
            '--setopt=site.repo_gpgcheck=1',
            `--setopt=site.gpgkey=file://${at('site/RPM-GPG-KEY-0F6AB0C2B5D41D1B')}`,
            '--setopt=tsflags=noscripts',
          ];
          const dnf = (...args: string[]): string =>
            tool('dnf', [...options, ...checks, '--enablerepo=site', '--enablerepo=base', ...args], {
              env: { HOME: other.path },
            }).toString();
          const installed = (): string[] =>
            tool('rpm', ['--root', other.path, '--dbpath', '/var/lib/rpm', '-qa', `${NAME}*`])
              .toString()
              .trim()
              .split('\n');
          // Debian keeps the database elsewhere unless told.
          writeFileSync(other.at('.rpmmacros'), '%_dbpath /var/lib/rpm\n');
          dnf('install', `${NAME}-0-0.el9_4`);
          expect(installed()).toEqual([`${NAME}-0-0.el9_4.x86_64`]);
          expect(dnf('updateinfo', 'list', '--with-cve')).toMatch(/CVE-2024-26581.*kpatch-patch-5_14_0-427_13_1-1-2/);
          dnf('upgrade', '--security');
          expect(installed()).toEqual([`${NAME}-1-2.el9_4.x86_64`]);
          expect(existsSync(other.at(`usr/lib/kpatch/${K1}/kpatch-5_14_0-427_13_1-1-2.ko`))).toBe(true);
        } finally {
          base.remove();
          other.remove();
        }
      });
    });
    test('the scriptlets do what the vendor describes, in a real shell', () => {
      const script = tool('rpm', ['-qp', '--nosignature', '--qf', '%{POSTIN}', pkg('1-1')]).toString();
      const bin = at('bin');
      mkdirSync(bin);
      const put = (name: string, text: string): void =>
        writeFileSync(path.join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      put('sync', '');
      put('chcon', `echo "chcon $*" >> ${at('log')}`);
      const run = (running: string, listed: string): { out: string; log: string[] } => {
        put('uname', `echo ${running}`);
        put(
          'kpatch',
          `echo "kpatch $*" >> ${at('log')}; [ "$1" = list ] && printf 'Loaded patch modules:\\n${listed}'; exit 1`,
        );
        writeFileSync(at('log'), '');
        const done = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8', env: { PATH: `${bin}:/usr/bin:/bin` } });
        // A failed load is invisible to rpm.
        expect([done.status, done.stderr]).toEqual([0, '']);
        return { out: done.stdout, log: readFileSync(at('log'), 'utf8').trim().split('\n') };
      };
      const file_ = `/usr/lib/kpatch/${K1}/kpatch-5_14_0-427_13_1-1-1.ko`;
      const install = [
        `kpatch install -k ${K1} ${file_}`,
        `chcon -t modules_object_t /var/lib/kpatch/${K1}/kpatch-5_14_0-427_13_1-1-1.ko`,
      ];
      expect(run('6.1.0', '').log).toEqual(install);
      expect(run(K1, '').log).toEqual([...install, 'kpatch list', `kpatch load ${file_}`]);
      expect(run(K1, 'kpatch_5_14_0_427_13_1_0_9 [enabled]\\n').log.at(-1)).toBe(`kpatch load ${file_}`);
      const newer = run(K1, 'kpatch_5_14_0_427_13_1_1_2 [enabled]\\nkpatch_5_14_0_427_13_1_1_10 [enabled]\\n');
      expect(newer.log.at(-1)).toBe('kpatch list');
      expect(newer.out).toMatch(/^WARNING: kpatch_5_14_0_427_13_1_1_10 is active.*\nWARNING: /);
      const off = run(K1, 'kpatch_5_14_0_427_13_1_1_2 [disabled]\\n');
      expect(off.log.at(-1)).toBe(`kpatch load ${file_}`);
    });
  });

  test('--sign-module signs as the sign-file of the kernel does, to the byte', async () => {
    const file = moduleFile('kpatch_5_14_0_427_13_1_2_1');
    const key = path.join(KEYS, 'module-signing.pem');
    const { status, out } = await typed(
      ...command('signed', file, '--version', '2', '--release', '1', '--sign-module', key, key),
    );
    expect([status, out]).toEqual([0, expect.stringMatching(/Module key {2}: TEST KEY/)]);
    const rpm = at(`signed/Packages/${NAME}-2-1.el9_4.x86_64.rpm`);
    const bytes = tool('sh', ['-c', `rpm2cpio ${rpm} | cpio -i --quiet --to-stdout './usr/lib/kpatch/*.ko'`]);
    const kbuild = existsSync('/usr/lib')
      ? readdirSync('/usr/lib').find((name) => name.startsWith('linux-kbuild-'))
      : undefined;
    expect(kbuild).toBeDefined();
    copyFileSync(file, at('theirs.ko'));
    tool(`/usr/lib/${kbuild}/scripts/sign-file`, ['sha256', key, key, at('theirs.ko')]);
    expect(bytes.equals(readFileSync(at('theirs.ko')))).toBe(true);
    // A signature that was there gives way.
    const again = await typed(
      ...command('signed', at('theirs.ko'), '--version', '2', '--release', '2', '--sign-module', key),
    );
    expect([again.status, again.err]).toEqual([1, expect.stringMatching(/calls itself kpatch_5_14_0_427_13_1_2_1/)]);
    copyFileSync(at('theirs.ko'), at('kpatch_again.ko'));
    const forced = await typed(
      ...command('again', at('theirs.ko'), '--version', '2', '--release', '1', '--sign-module', key),
    );
    expect([forced.status, forced.err]).toEqual([0, expect.stringMatching(/The signature that .* has is replaced/)]);
    const resigned = at(`again/Packages/${NAME}-2-1.el9_4.x86_64.rpm`);
    const same = tool('sh', ['-c', `rpm2cpio ${resigned} | cpio -i --quiet --to-stdout './usr/lib/kpatch/*.ko'`]);
    expect(same.equals(bytes)).toBe(true);
  });

  test('a key that does not fit its certificate signs nothing', async () => {
    tool('openssl', [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=other',
      '-keyout',
      at('other.key'),
      '-out',
      at('other.crt'),
    ]);
    const file = moduleFile('kpatch_5_14_0_427_13_1_2_1');
    const { status, err } = await typed(
      ...command(
        'unfit',
        file,
        '--version',
        '2',
        '--release',
        '1',
        '--sign-module',
        at('other.key'),
        path.join(KEYS, 'module-signing.pem'),
      ),
    );
    expect([status, err]).toEqual([1, expect.stringMatching(/openssl failed/)]);
    expect(existsSync(at('unfit'))).toBe(false);
  });

  const refusals: Record<string, [() => string[], RegExp]> = {
    'a module that is no live patch': [
      () => [moduleFile('kpatch_5_14_0_427_13_1_1_1', { livepatch: false })],
      /it is no live patch/,
    ],
    'a module for another kernel': [
      () => [moduleFile('kpatch_5_14_0_427_13_1_1_1', { release: KERNELS.K2 })],
      /was built for the kernel 5\.14\.0-427\.16\.1/,
    ],
    'a module of another name': [
      () => [moduleFile('livepatch_own')],
      /calls itself livepatch_own.*\n.*kpatch-build -n kpatch-5_14_0-427_13_1-1-1/,
    ],
    'a module for another machine': [
      () => [moduleFile('kpatch_5_14_0_427_13_1_1_1', { machine: 183 })],
      /it is code for aarch64/,
    ],
    'what is no module': [
      () => [path.join(KEYS, 'release.pub.asc')],
      /release\.pub\.asc cannot be published for .*: it is not a usable kernel module/,
    ],
    'what is not there': [() => [at('nosuch.ko')], /nosuch\.ko does not exist/],
    'version 0 with a module': [
      () => [moduleFile('kpatch_5_14_0_427_13_1_0_1'), '--version', '0'],
      /version 0 is that of empty packages/,
    ],
  };
  test.each(Object.entries(refusals))('refused: %s', async (_, [given, why]) => {
    const { status, err } = await typed(...command('refused', ...given(), '--release', '1'));
    expect([status, err]).toEqual([1, expect.stringMatching(why)]);
    expect(existsSync(at('refused'))).toBe(false);
  });

  test('levels only go up; --force is for those who know', async () => {
    const two = moduleFile('kpatch_5_14_0_427_13_1_1_2', { functions: ['vmlinux:one', 'vmlinux:two'] });
    expect((await typed(...command('order', two, '--release', '2'))).status).toBe(0);
    const same = await typed(...command('order', two, '--release', '2'));
    expect([same.status, same.err]).toEqual([1, expect.stringMatching(/lies in .*order already/)]);
    const one = moduleFile('kpatch_5_14_0_427_13_1_1_1');
    const lower = await typed(...command('order', one, '--release', '1'));
    expect([lower.status, lower.err]).toEqual([
      1,
      expect.stringMatching(/has the higher level .*1-2.*levels only go up/),
    ]);
    expect((await typed(...command('order', one, '--release', '1', '--force'))).status).toBe(0);
    // What the level before patched and this one does not would come undone.
    const three = moduleFile('kpatch_5_14_0_427_13_1_1_3', { functions: ['vmlinux:two'] });
    const told = await typed(...command('order', three, '--release', '3'));
    expect([told.status, told.err]).toEqual([
      0,
      expect.stringMatching(/patches vmlinux:one, and this module does not/),
    ]);
  });

  test('a kernel that packages are not named for, and a key that is not there', async () => {
    const other = await typed('publish', '--empty', '--kernel', KERNELS.K4, '--sign', RELEASE, '--repo', 'x');
    expect([other.status, other.err]).toEqual([
      1,
      expect.stringMatching(/is no kernel release that live-patch packages are named for/),
    ]);
    const key = await typed('publish', '--empty', '--kernel', K1, '--sign', 'nobody@publish.invalid', '--repo', 'x');
    expect([key.status, key.err]).toEqual([1, expect.stringMatching(/gpg has no secret key of that name/)]);
    expect(existsSync(at('x'))).toBe(false);
  });

  test('who comes second waits until the first is done; both are in the metadata', async () => {
    mkdirSync(at('turns'));
    const held = openSync(at('turns'), 'r');
    expect(await takeFlock({ run: realRun }, held, 0)).toBe(true);
    const second = typed(...command('turns', '--empty'));
    // Freed when the second has begun to wait: as long as the first holds it nothing is there.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(readdirSync(at('turns'))).toEqual([]);
    closeSync(held);
    const { status, err } = await second;
    expect([status, err]).toEqual([
      0,
      `Somebody else publishes into ${at('turns')}; waiting for 10 minutes at most.\n`,
    ]);
    expect(await takeFlock({ run: realRun }, openSync(at('turns'), 'r'), 0)).toBe(true);
  });

  test('who waits for a directory that is taken away waits for the new one of that name', async () => {
    const place = (): number => {
      mkdirSync(at('moved'));
      return openSync(at('moved'), 'r');
    };
    const held = place();
    expect(await takeFlock({ run: realRun }, held, 0)).toBe(true);
    const second = typed(...command('moved', '--empty'));
    await new Promise((resolve) => setTimeout(resolve, 2000));
    rmSync(at('moved'), { recursive: true });
    const heldAnew = place();
    expect(await takeFlock({ run: realRun }, heldAnew, 0)).toBe(true);
    closeSync(held);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(readdirSync(at('moved'))).toEqual([]);
    closeSync(heldAnew);
    expect((await second).status).toBe(0);
  });

  test('many at once: nobody loses the metadata of another', async () => {
    const kernels = ['1', '2', '3'].map((n) => K1.replace('427.13.1', `427.1${n}.9`));
    const runs = await Promise.all(
      kernels.map((kernel) =>
        typed('publish', '--empty', '--kernel', kernel, '--sign', RELEASE, '--repo', 'many', '--cve', 'CVE-2026-1000'),
      ),
    );
    expect(runs.map(({ status, out }) => [status, out === ''])).toEqual([0, 0, 0].map(() => [0, false]));
    const primary = readdirSync(at('many/repodata')).find((name) => name.endsWith('primary.xml.gz')) as string;
    const names = gunzipSync(readFileSync(at(`many/repodata/${primary}`)))
      .toString()
      .match(/<name>[^<]+/g);
    expect(names).toHaveLength(3);
  });

  test('where nothing can be built no directory is left, and none goes that was there', async () => {
    const run: Run = {
      ...realRun,
      run: (program, args, more) => realRun.run(program === 'rpmbuild' ? 'false' : program, args, more),
    };
    mkdirSync(at('empty-before'));
    for (const name of ['empty-before', 'never-there']) {
      const request: PublishRequest = {
        ...{ module: null, kernel: K1, version: '0', release: '0', sign: RELEASE, repository: at(name), cves: [] },
        ...{ texts: [], moduleKey: null, force: false },
      };
      const work = publish(machineOver('/', null, { run, env }), request, listener());
      await expect(work).rejects.toMatchObject({ code: 'publish-failed' });
    }
    expect([existsSync(at('empty-before')), existsSync(at('never-there'))]).toEqual([true, false]);
  });

  test('programs that are missing are named, all of them, before anything is begun', async () => {
    const run = {
      ...realRun,
      which: (name: string) => (/^(?:rpmsign|createrepo_c)$/.test(name) ? null : realRun.which(name)),
    };
    const request: PublishRequest = {
      ...{ module: null, kernel: K1, version: '0', release: '0', sign: RELEASE, repository: at('missing'), cves: [] },
      ...{ texts: [], moduleKey: null, force: false },
    };
    await expect(publish(machineOver('/', null, { run, env }), request, listener())).rejects.toMatchObject({
      code: 'program-missing',
      message: 'To publish, rpmsign, createrepo_c are needed and not installed.',
      hint: expect.stringContaining('sudo dnf install rpm-sign createrepo_c'),
    });
    expect(existsSync(at('missing'))).toBe(false);
  });

  test('what somebody else put into the directory gets no word into a changelog that is signed', async () => {
    const one = moduleFile('kpatch_5_14_0_427_13_1_1_1');
    expect((await typed(...command('planted', one, '--release', '1', '--cve', 'CVE-2024-1086'))).status).toBe(0);
    const planted = at(`planted/Packages/${NAME}-1-1.el9_4.x86_64.rpm`);
    // The same package with a changelog of somebody's own, signed by nobody.
    const spec = `Name: ${NAME}\nVersion: 1\nRelease: 1.el9_4\nSummary: x\nLicense: MIT\nBuildArch: noarch\n%description\nx\n%files\n%changelog\n* Thu Jan 01 2026 x <x@x.invalid> [1-1]\n- kernel: never fixed {CVE-2024-99999}\n`;
    const forged = await buildRpm(spec);
    copyFileSync(forged.file, planted);
    forged.remove();
    const next = await typed(
      ...command('planted', moduleFile('kpatch_5_14_0_427_13_1_1_2'), '--release', '2', '--cve', 'CVE-2024-26581'),
    );
    expect([next.status, next.err.replace(/\s+/g, ' ')]).toEqual([
      0,
      expect.stringMatching(/its changelog is not carried on/),
    ]);
    expect(next.out).toMatch(/Fixes {7}: CVE-2024-26581\n/);
  });

  test('a repository that others began, and one whose metadata points elsewhere', async () => {
    mkdirSync(at('flat'));
    copyFileSync(at(`order/Packages/${NAME}-1-2.el9_4.x86_64.rpm`), at(`flat/${NAME}-1-2.el9_4.x86_64.rpm`));
    const lower = await typed(...command('flat', moduleFile('kpatch_5_14_0_427_13_1_1_1'), '--release', '1'));
    expect([lower.status, lower.err]).toEqual([1, expect.stringMatching(/has the higher level .*1-2/)]);
    expect((await typed(...command('elsewhere', '--empty'))).status).toBe(0);
    const repomd = at('elsewhere/repodata/repomd.xml');
    writeFileSync(
      repomd,
      readFileSync(repomd, 'utf8').replace(/repodata\/[0-9a-f]+-updateinfo/, '../../../etc/updateinfo'),
    );
    const odd = await typed(...command('elsewhere', moduleFile('kpatch_5_14_0_427_13_1_1_1'), '--release', '1'));
    expect([odd.status, odd.err]).toEqual([1, expect.stringMatching(/leaves the repository/)]);
    expect(readdirSync(at('elsewhere/Packages'))).toEqual([`${NAME}-0-0.el9_4.x86_64.rpm`]);
  });

  test('where the metadata cannot be made, nothing is left of the attempt', async () => {
    const run: Run = {
      ...realRun,
      run: (program, args, more) => realRun.run(program === 'createrepo_c' ? 'false' : program, args, more),
    };
    const request: PublishRequest = {
      ...{ module: moduleFile('kpatch_5_14_0_427_13_1_1_1'), kernel: K1, version: '1', release: '1', sign: RELEASE },
      ...{ repository: at('half'), cves: [], texts: [], moduleKey: null, force: false },
    };
    await expect(publish(machineOver('/', null, { run, env }), request, listener())).rejects.toMatchObject({
      code: 'publish-failed',
    });
    expect(existsSync(at('half'))).toBe(false);
    expect((await typed(...command('half', moduleFile('kpatch_5_14_0_427_13_1_1_1'), '--release', '1'))).status).toBe(
      0,
    );
  });

  test('advisories that others wrote stay; one that is none ends it', async () => {
    const foreign =
      '<?xml version="1.0"?>\n<updates>\n  <update type="security"><id>SITE-1</id><title>a &amp; b</title></update>\n</updates>\n';
    expect((await typed(...command('merge', '--empty'))).status).toBe(0);
    writeFileSync(at('updateinfo.xml'), foreign);
    tool('modifyrepo_c', ['--mdtype', 'updateinfo', at('updateinfo.xml'), at('merge/repodata')]);
    expect((await typed(...command('merge', moduleFile('kpatch_5_14_0_427_13_1_1_1'), '--release', '1'))).status).toBe(
      0,
    );
    const packed = readdirSync(at('merge/repodata')).filter((name) => name.includes('updateinfo'));
    expect(packed).toHaveLength(1);
    const text = gunzipSync(readFileSync(at(`merge/repodata/${packed[0]}`))).toString();
    expect([...text.matchAll(/<id>(.*?)<\/id>/g)].map((match) => match[1])).toEqual([
      'SITE-1',
      'OWN-5_14_0-427_13_1-1-1.el9_4',
    ]);
    expect(merged(text, 'SITE-1', '').match(/<update\b/g)).toHaveLength(1);
    expect(() => merged('<html>', 'x', '')).toThrow(/has no <\/updates>/);
    // gpg holds the new repomd.xml to the signature beside it.
    gpg.run(['--verify', at('merge/repodata/repomd.xml.asc'), at('merge/repodata/repomd.xml')]);
  });
});

test('what cannot be typed together is refused before anything is looked at', async () => {
  const cases: [string[], RegExp][] = [
    [['publish'], /needs MODULE.ko, or --empty/],
    [['publish', 'a.ko', 'b.ko'], /takes one MODULE.ko/],
    [['publish', 'a.ko', '--empty'], /name none/],
    [['publish', 'a.ko'], /needs --kernel/],
    [['publish', 'a.ko', '-k', K1, '-k', KERNELS.K2], /for one kernel/],
    [['publish', 'a.ko', '-k', K1], /needs --release/],
    [['publish', 'a.ko', '-k', K1, '--release', '1'], /needs --sign/],
    [['publish', 'a.ko', '-k', K1, '--release', '1', '--sign', 'x'], /needs --repo DIR/],
    [['publish', 'a.ko', '-k', K1, '--release', '1.a', '--sign', 'x'], /--release cannot be/],
    [['publish', '--empty', '-k', K1, '--sign', 'x', '--repo', 'y', '--sign-module', 'k'], /needs a module to sign/],
    [
      ['publish', 'a.ko', '-k', K1, '--release', '1', '--sign', 'x', '--repo', 'y', '--module-cert', 'c'],
      /belongs to --sign-module/,
    ],
    [['status', '--into', 'x'], /--into belongs to publish/],
  ];
  for (const [args, why] of cases) {
    const { status, err } = await typed(...args);
    expect([args, status, err]).toEqual([args, 2, expect.stringMatching(why)]);
  }
  // Elsewhere the words keep their meaning.
  expect((await typed('--version')).out).toMatch(/^kpatch-pm /);
  expect((await typed('status', '--version')).out).toMatch(/^kpatch-pm /);
});
