// Our plug-in under the real kernel-install(8) of systemd, with the built program, in a root of its own.
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Root } from '../../src/host/root.ts';
import { readQueue } from '../../src/state/queue.ts';
import { needs } from '../support/programs.ts';
import { top } from '../support/top.ts';

const K = '5.14.0-427.13.1.el9_4.x86_64';
const PLUGIN = path.join(top, 'packaging/kernel-install/95-kpatch-pm.install');
const uid = process.getuid?.() ?? 0;

needs('kernel-install')('under the real kernel-install', () => {
  let scratch: string;
  let root: string;
  const program = (): string => path.join(scratch, 'kpatch-pm');
  const script = (name: string, text: string): string => {
    const file = path.join(scratch, name);
    writeFileSync(file, text);
    chmodSync(file, 0o755);
    return file;
  };

  beforeAll(() => {
    scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-ki-'));
    const built = spawnSync(process.execPath, [path.join(top, 'packaging/build.mjs'), path.join(scratch, 'dist')], {
      encoding: 'utf8',
    });
    if (built.status !== 0) throw new Error(built.stderr);
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  beforeEach(() => {
    root = path.join(scratch, 'root');
    rmSync(root, { recursive: true, force: true });
    for (const name of ['boot', 'conf', 'etc/dnf/plugins']) mkdirSync(path.join(root, name), { recursive: true });
    writeFileSync(path.join(root, 'etc/dnf/plugins/kpatch.conf'), '[main]\nautoupdate=True\n');
    writeFileSync(path.join(root, 'boot', `vmlinuz-${K}`), 'a kernel');
    script(
      'kpatch-pm',
      `#!/bin/sh\n[ "$2" = kernel-install ] || exit 9\nshift 2\nexec ${process.execPath} ${scratch}/dist/kpatch-pm.cjs hook kernel-install --installroot ${root} "$@"\n`,
    );
    // The plug-in as shipped, but for where the program lies.
    script('95-kpatch-pm.install', readFileSync(PLUGIN, 'utf8').replace('/usr/bin/kpatch-pm', program()));
    script('99-after.install', `#!/bin/sh\necho "$1" >>${root}/later-ran\n`);
  });

  const kernelInstall = (...words: string[]): SpawnSyncReturns<string> =>
    spawnSync('kernel-install', words, {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        MACHINE_ID: '0123456789abcdef0123456789abcdef',
        BOOT_ROOT: path.join(root, 'boot'),
        KERNEL_INSTALL_CONF_ROOT: path.join(root, 'conf'),
        KERNEL_INSTALL_PLUGINS: [
          path.join(scratch, '95-kpatch-pm.install'),
          path.join(scratch, '99-after.install'),
        ].join(' '),
      },
    });
  const add = (...before: string[]) => kernelInstall(...before, 'add', K, path.join(root, 'boot', `vmlinuz-${K}`));
  const queued = (): string[] => readQueue(new Root(root), uid).map(({ kernel, event }) => `${event} ${kernel}`);
  const later = (): string =>
    existsSync(path.join(root, 'later-ran')) ? readFileSync(path.join(root, 'later-ran'), 'utf8') : '';

  test('add queues, silently, although the kernel has no /lib/modules; later plug-ins run', () => {
    const { status, stdout, stderr } = add();
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(queued()).toEqual([`add ${K}`]);
    expect(later()).toBe('add\n');
  });

  test('remove, then add, as administrators do to rebuild boot entries: one event, the last', () => {
    expect(kernelInstall('remove', K).status).toBe(0);
    expect(queued()).toEqual([`remove ${K}`]);
    expect(add().status).toBe(0);
    expect(queued()).toEqual([`add ${K}`]);
    expect(later()).toBe('remove\nadd\n');
  });

  test('says what it does with --verbose', () => {
    const { status, stdout, stderr } = add('--verbose');
    expect(status).toBe(0);
    expect(stdout + stderr).toContain(`kpatch-pm: add ${K} is queued`);
  });

  const broken: [string, string][] = [
    ['is not there', ''],
    ['fails', '#!/bin/sh\necho broken >&2\nexit 3\n'],
    ['would end kernel-install', '#!/bin/sh\nexit 77\n'],
    ['is killed', '#!/bin/sh\nkill -9 $$\n'],
    ['cannot be started', '#!/nowhere/node\n'],
  ];
  test.each(broken)('a program that %s harms nobody', (_name, text) => {
    if (text === '') rmSync(program());
    else script('kpatch-pm', text);
    const { status, stdout, stderr } = add();
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(later()).toBe('add\n');
  });

  test('a state directory that cannot be written harms nobody', () => {
    mkdirSync(path.join(root, 'var/lib'), { recursive: true });
    writeFileSync(path.join(root, 'var/lib/kpatch-pm'), 'in the way');
    const { status, stdout, stderr } = add();
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(later()).toBe('add\n');
  });
});

test('the plug-in sorts after those of the distributions and is a POSIX script', () => {
  expect(readFileSync(PLUGIN, 'utf8')).toMatch(/^#!\/bin\/sh\n/);
  expect(path.basename(PLUGIN) > '92-crashkernel.install').toBe(true);
  expect(spawnSync('sh', ['-n', PLUGIN]).status).toBe(0);
});
