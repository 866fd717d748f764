// The hook behind kernel-install: what it queues, when it pokes the service, and that nothing makes it fail.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { main } from '../../../src/cli/main.ts';
import { Root } from '../../../src/host/root.ts';
import { kernelInstall } from '../../../src/integrate/kernel-install.ts';
import { openState } from '../../../src/state/directory.ts';
import { dequeue, enqueue, QUEUE, readQueue } from '../../../src/state/queue.ts';
import { machineOver } from '../../support/machine.ts';
import { surroundings } from '../../support/surroundings.ts';

const K = '5.14.0-427.13.1.el9_4.x86_64';
const uid = process.getuid?.() ?? 0;
let dir: string;
const put = (name: string, text: string): void => {
  mkdirSync(path.join(dir, path.dirname(name)), { recursive: true });
  writeFileSync(path.join(dir, name), text);
};
const auto = (): void => put('etc/dnf/plugins/kpatch.conf', '[main]\nautoupdate = True\n');
const queued = (): string[] => readQueue(new Root(dir), uid).map(({ kernel, event }) => `${event} ${kernel}`);

beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'kpm-hook-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function hook(words: readonly string[], env: Record<string, string> = {}) {
  const around = surroundings({ hostPath: dir, env });
  const status = await main(['hook', ...words], around);
  return { status, out: around.stdout.text, err: around.stderr.text };
}

describe('what is queued', () => {
  test('add and remove of a kernel in auto mode, one file per kernel, the last event counts', async () => {
    auto();
    await hook(['kernel-install', 'add', K, `/boot/x/${K}`, `/boot/vmlinuz-${K}`, '/boot/initrd']);
    expect(queued()).toEqual([`add ${K}`]);
    await hook(['kernel-install', 'remove', K, `/boot/x/${K}`]);
    expect(queued()).toEqual([`remove ${K}`]);
    await hook(['kernel-install', 'add', K]);
    expect(readdirSync(path.join(dir, QUEUE))).toEqual([`${K}.json`]);
    expect(queued()).toEqual([`add ${K}`]);
  });

  test('nothing in manual mode, without a configuration, or on an image-based system', async () => {
    await hook(['kernel-install', 'add', K]);
    put('etc/dnf/plugins/kpatch.conf', '[main]\nautoupdate = False\n');
    await hook(['kernel-install', 'add', K]);
    auto();
    put('run/ostree-booted', '');
    await hook(['kernel-install', 'add', K]);
    expect(existsSync(path.join(dir, 'var/lib/kpatch-pm'))).toBe(false);
  });

  test('an event that comes while an older one is worked off is not lost', () => {
    const root = new Root(dir);
    enqueue(openState({ root, uid }), K as never, 'add', new Date());
    const [first] = readQueue(root, uid);
    enqueue(openState({ root, uid }), K as never, 'remove', new Date());
    expect(first && dequeue(root, first)).toBe(false);
    expect(queued()).toEqual([`remove ${K}`]);
  });
});

describe('nothing makes kernel-install fail', () => {
  const faults: [string, () => void, string[]][] = [
    ['no arguments', auto, []],
    ['another hook', auto, ['dracut', 'add', K]],
    ['no kernel', auto, ['kernel-install', 'add']],
    ['a path for a kernel', auto, ['kernel-install', 'add', '../../etc/passwd']],
    ['an empty kernel', auto, ['kernel-install', 'add', '']],
    ['another command', auto, ['kernel-install', 'inspect', K]],
    ['a root that is not there', auto, ['kernel-install', '--installroot', '/nowhere/at/all', 'add', K]],
    [
      'a configuration that is a directory',
      () => mkdirSync(path.join(dir, 'etc/dnf/plugins/kpatch.conf'), { recursive: true }),
      ['kernel-install', 'add', K],
    ],
    ['a configuration of bytes', () => put('etc/dnf/plugins/kpatch.conf', '\0\xff[[['), ['kernel-install', 'add', K]],
    [
      'a state directory that is a link',
      () => {
        auto();
        mkdirSync(path.join(dir, 'var/lib'), { recursive: true });
        mkdirSync(path.join(dir, 'elsewhere'));
        symlinkSync('/elsewhere', path.join(dir, 'var/lib/kpatch-pm'));
      },
      ['kernel-install', 'add', K],
    ],
    [
      'a queue that is a file',
      () => {
        auto();
        openState({ root: new Root(dir), uid });
        put(QUEUE, '');
      },
      ['kernel-install', 'add', K],
    ],
  ];
  test.each(faults)('%s', async (_name, prepare, words) => {
    prepare();
    expect(await hook(words)).toEqual({ status: 0, out: '', err: '' });
    expect(existsSync(path.join(dir, 'elsewhere/queue'))).toBe(false);
  });

  test('a damaged entry is told by readers and does not hide the others', () => {
    const root = new Root(dir);
    enqueue(openState({ root, uid }), K as never, 'add', new Date());
    put(`${QUEUE}/6.1.0-1.x86_64.json`, '{');
    const heard: string[] = [];
    expect(readQueue(root, uid, ({ code }) => heard.push(code)).map(({ kernel }) => kernel)).toEqual([K]);
    expect(heard).toEqual(['state-damaged']);
  });

  test('says what it did only when kernel-install is verbose', async () => {
    auto();
    const { status, out, err } = await hook(['kernel-install', 'add', K], { KERNEL_INSTALL_VERBOSE: '1' });
    expect([status, out]).toEqual([0, '']);
    expect(err).toContain(`kpatch-pm: add ${K} is queued\n`);
    expect(err).toContain('is not the running system');
  });
});

describe('when the service is started', () => {
  const started = async (live: boolean, isHost: boolean, env: Record<string, string> = {}, systemd = true) => {
    auto();
    if (systemd) mkdirSync(path.join(dir, 'run/systemd/system'), { recursive: true });
    const calls: string[] = [];
    const base = machineOver(dir);
    const root = isHost ? Object.defineProperty(new Root(dir), 'isHost', { value: true }) : new Root(dir);
    const run = {
      ...base.run,
      run: async (program: string, args: readonly string[]) => {
        calls.push([program, ...args].join(' '));
        return { status: 0, signal: null, stdout: Buffer.alloc(0), stderr: '' };
      },
    };
    await kernelInstall(['add', K], { ...base, root, host: new Root(dir), run, live, env }, () => undefined);
    expect(queued()).toEqual([`add ${K}`]);
    return calls;
  };

  test('on the running system, without waiting', async () => {
    expect(await started(true, true)).toEqual(['systemctl --no-block start kpatch-pm.service']);
  });
  test('not in a container or chroot, another root, an upgrade, or where systemd does not run', async () => {
    expect(await started(false, true)).toEqual([]);
    expect(await started(true, false)).toEqual([]);
    expect(await started(true, true, { LEAPP_IPU_IN_PROGRESS: '8to9' })).toEqual([]);
    expect(await started(true, true, { SYSTEMD_OFFLINE: '1' })).toEqual([]);
    rmSync(path.join(dir, 'run'), { recursive: true });
    expect(await started(true, true, {}, false)).toEqual([]);
  });
  test('the queue survives a program that is not there', async () => {
    auto();
    mkdirSync(path.join(dir, 'run/systemd/system'), { recursive: true });
    const base = machineOver(dir);
    const root = Object.defineProperty(new Root(dir), 'isHost', { value: true });
    const said: string[] = [];
    const run = { ...base.run, run: (p: string, a: readonly string[]) => base.run.run(`/nowhere/${p}`, a) };
    await kernelInstall(['add', K], { ...base, root, host: new Root(dir), run, live: true }, (text) => said.push(text));
    expect(queued()).toEqual([`add ${K}`]);
    expect(said.at(-1)).toMatch(/could not be started/);
  });
});

test('queue files are ours alone', async () => {
  auto();
  await hook(['kernel-install', 'add', K]);
  const text = readFileSync(path.join(dir, QUEUE, `${K}.json`), 'utf8');
  expect(JSON.parse(text)).toMatchObject({ format: 1, event: 'add', since: '2026-01-01T00:01:00.000Z' });
});
