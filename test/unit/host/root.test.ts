import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { afterAll, describe, expect, test } from '@jest/globals';
import { KpmError } from '../../../src/errors.ts';
import { roomAt } from '../../../src/host/room.ts';
import { Root } from '../../../src/host/root.ts';
import { descriptorsPath } from '../../../src/host/walk.ts';
import { codeOf } from '../../support/code-of.ts';
import { removeTrees, tree } from '../../support/config-root.ts';
import { needsThat } from '../../support/programs.ts';

afterAll(removeTrees);

const isRoot = process.getuid?.() === 0;
const asRoot = needsThat(isRoot, 'being root (for mounts and other owners)');

/** Every test of paths runs twice: through /proc/self/fd, and as where /proc is not mounted. */
const WAYS: [string, string | null][] = [
  ['through descriptors', descriptorsPath()],
  ['without /proc', null],
];

test('this machine has /proc, so both ways are tested', () => {
  expect(descriptorsPath()).toBe('/proc/self/fd');
});

describe.each(WAYS)('a root %s', (_way, descriptors) => {
  const open = (top: string): Root => new Root(top, null, descriptors);
  const made = (files: Record<string, string>): Root => open(tree(files));

  describe('links', () => {
    const files = {
      'etc/real': 'inside',
      'etc/relative': '-> real',
      'etc/up': '-> ../etc/real',
      'etc/absolute': '-> /etc/real',
      'abs-dir': '-> /etc',
      'a/b/dir': '-> ../../etc',
      chain1: '-> chain2',
      chain2: '-> /abs-dir/../etc/relative',
      dangling: '-> nowhere/at/all',
      'etc/dots': '-> ././/real',
    };
    test.each([
      'etc/real',
      'etc/relative',
      'etc/up',
      'etc/absolute',
      'abs-dir/real',
      'a/b/dir/real',
      'chain1',
      'etc/dots',
      '/etc/real',
      'etc//./real',
    ])('%s stays inside', (name) => {
      expect(made(files).readText(name)).toBe('inside');
    });

    test('what dangles, and what lies behind a file, is absent', () => {
      const root = made(files);
      expect(root.readText('dangling')).toBeNull();
      expect(root.lstat('dangling')?.isSymbolicLink()).toBe(true);
      expect(root.exists('dangling')).toBe(false);
      expect(root.readText('etc/real/x')).toBeNull();
      expect(root.readText('none/x')).toBeNull();
      expect(root.list('none')).toEqual([]);
    });

    test.each([
      ['a link up and out', '-> ../../outside', 'x'],
      ['a link to the root and out', '-> /..', 'x'],
      ['a link far out', `-> ${'../'.repeat(20)}etc/passwd`, 'x'],
    ])('%s is refused', (_what, link, name) => {
      expect(codeOf(() => made({ x: link }).readText(name))).toBe('path-escape');
    });

    test('a path of a caller that climbs is refused, whatever is there', () => {
      const root = made(files);
      for (const name of ['..', 'etc/../etc/real', '../x', 'etc/..', 'a\0b']) {
        expect([name, codeOf(() => root.stat(name))]).toEqual([name, 'path-escape']);
      }
      expect(codeOf(() => root.write('../x', ''))).toBe('path-escape');
      expect(codeOf(() => root.mkdirs('a/../../x'))).toBe('path-escape');
    });

    test('loops end', () => {
      const root = made({ a: '-> b', b: '-> a', self: '-> self', deep: '-> deep/deep/deep' });
      for (const name of ['a', 'self', 'self/x', 'deep']) expect(codeOf(() => root.read(name))).toBe('path-escape');
      expect(root.lstat('a')?.isSymbolicLink()).toBe(true);
    });

    test('writing replaces a link, and never follows it', () => {
      const root = made({ target: 'old', link: '-> target', out: '-> ../../../../tmp/x' });
      root.write('link', 'new');
      expect(root.readText('target')).toBe('old');
      expect(root.lstat('link')?.isFile()).toBe(true);
      root.write('out', 'here');
      expect(root.readText('out')).toBe('here');
    });

    test('directories of links are written into where they lead, inside', () => {
      const root = made({ 'real/x': '', dir: '-> /real', bad: '-> ../../..' });
      root.write('dir/y', 'z');
      expect(root.readText('real/y')).toBe('z');
      expect(codeOf(() => root.write('bad/y', 'z'))).toBe('path-escape');
    });

    test('realPath is the path after all links, and realpath(3) agrees', () => {
      const root = made(files);
      for (const name of ['etc/relative', 'a/b/dir/real', 'a/b', 'etc/up']) {
        expect(root.realPath(name)).toBe(fs.realpathSync(path.join(root.path, name)));
      }
      expect(root.realPath('abs-dir')).toBe(path.join(root.path, 'etc'));
      expect(root.realPath('none')).toBeNull();
    });
  });

  describe('reading', () => {
    test('a fifo, a socket, a device and a directory are not read, and nothing hangs', () => {
      const top = tree({ 'dir/x': '' });
      execFileSync('mkfifo', [path.join(top, 'fifo')]);
      const root = open(top);
      for (const name of ['fifo', 'dir', '.'])
        expect([name, codeOf(() => root.read(name))]).toEqual([name, 'file-unreadable']);
      expect(codeOf(() => new Root('/', null, descriptors).read('dev/null'))).toBe('file-unreadable');
    });

    test('at most so many bytes, also of a file that does not tell its size', () => {
      const root = made({ five: '12345' });
      expect(root.readText('five', 5)).toBe('12345');
      expect(codeOf(() => root.readText('five', 4))).toBe('file-unreadable');
      const host = new Root('/', null, descriptors);
      expect(host.stat('proc/self/status')?.size).toBe(0);
      expect(host.readText('proc/self/status')).toContain('Name:');
      expect(codeOf(() => host.readText('proc/self/status', 10))).toBe('file-unreadable');
    });

    test('large files are read whole', () => {
      const bytes = Buffer.alloc(9_000_001, 'kpatch');
      const root = made({});
      root.write('big', bytes);
      expect(root.read('big')?.equals(bytes)).toBe(true);
      expect(root.read('empty')).toBeNull();
      root.write('empty', '');
      expect(root.read('empty')?.length).toBe(0);
    });

    test('names are sorted, hidden ones included', () => {
      expect(made({ b: '', a: '', '.c': '', 'd/e': '' }).list('.')).toEqual(['.c', 'a', 'b', 'd']);
    });
  });

  describe('writing', () => {
    test('content, mode and time are as asked, whatever the umask', () => {
      const root = made({});
      const before = process.umask(0o077);
      try {
        root.write('plain', 'x');
        root.write('mode', 'x', { mode: 0o640, mtime: 1_000_000 });
        root.mkdirs('a/b', 0o755);
        root.mkdirs('a/c', 0o700);
      } finally {
        process.umask(before);
      }
      const mode = (name: string): string => ((root.stat(name)?.mode ?? 0) & 0o7777).toString(8);
      expect([mode('plain'), mode('mode'), mode('a'), mode('a/b'), mode('a/c')]).toEqual([
        '644',
        '640',
        '755',
        '755',
        '700',
      ]);
      expect(root.stat('mode')?.mtimeMs).toBe(1_000_000_000);
    });

    test('existing directories stay as they are', () => {
      const root = made({ 'd/x': '1' });
      fs.chmodSync(path.join(root.path, 'd'), 0o711);
      root.mkdirs('d');
      root.mkdirs('d/e/f');
      expect((root.stat('d')?.mode ?? 0) & 0o777).toBe(0o711);
      expect(root.readText('d/x')).toBe('1');
      expect(codeOf(() => root.mkdirs('d/x/y'))).toBe('file-unwritable');
    });

    test('a name as long as the file system takes', () => {
      const root = made({});
      const name = 'n'.repeat(255);
      root.write(name, 'x');
      expect(root.readText(name)).toBe('x');
      expect(codeOf(() => root.write('n'.repeat(256), 'x'))).toBe('file-unwritable');
      expect(root.list('.')).toEqual([name]);
    });

    test('when the last step fails, the old content stays and nothing else is left behind', () => {
      const root = made({ keep: 'old' });
      const stop = (): void => {
        throw new KpmError('aborted', { text: 'stop' });
      };
      expect(codeOf(() => root.write('keep', 'new', { beforeCommit: stop }))).toBe('aborted');
      expect(codeOf(() => root.write('fresh', 'new', { beforeCommit: stop }))).toBe('aborted');
      expect(root.list('.')).toEqual(['keep']);
      expect(root.readText('keep')).toBe('old');
    });

    test('a directory in the way is an error, and nothing is left behind', () => {
      const root = made({ 'd/x': '' });
      expect(codeOf(() => root.write('d', 'x'))).toBe('file-unwritable');
      expect(root.list('.')).toEqual(['d']);
    });

    test('the temporary file lies beside the final one, hidden, and is whole before it is renamed', () => {
      const root = made({});
      let seen = '';
      root.write('sub', 'content', {
        beforeCommit: (temporary) => {
          seen = fs.readFileSync(temporary, 'utf8');
          expect(root.list('.')).toEqual([expect.stringMatching(/^\.sub\.[0-9a-f]{12}\.tmp$/)]);
        },
      });
      expect(seen).toBe('content');
      expect(root.list('.')).toEqual(['sub']);
    });

    test('renames, links, removals', () => {
      const root = made({ 'a/x': '1', 'b/y': '2' });
      root.rename('a/x', 'b/y');
      expect([root.list('a'), root.readText('b/y')]).toEqual([[], '1']);
      root.write('b/new', 'n');
      expect(root.renameNew('b/new', 'b/y')).toBe(false);
      expect(root.readText('b/y')).toBe('1');
      root.symlink('../b/y', 'a/l');
      expect([root.readlink('a/l'), root.readText('a/l')]).toEqual(['../b/y', '1']);
      expect([root.remove('a/l'), root.remove('a/l'), root.exists('b/y')]).toEqual([true, false, true]);
      expect([root.removeEmptyDir('b'), root.removeEmptyDir('a'), root.removeEmptyDir('a')]).toEqual([
        false,
        true,
        false,
      ]);
      expect(codeOf(() => root.remove('b'))).toBe('file-unwritable');
      expect(codeOf(() => root.rename('none', 'b/z'))).toBe('file-unwritable');
    });
  });

  test('every change is told before it is made, with its place', () => {
    const told: string[] = [];
    const root = new Root(tree({ x: '' }), (what, relative) => told.push(`${what} ${relative}`), descriptors);
    root.mkdirs('a/b');
    root.write('a/b/c', '');
    root.rename('a/b/c', 'd');
    root.remove('d');
    root.remove('d');
    root.removeEmptyDir('a/b');
    expect(told).toEqual(['mkdir a', 'mkdir a/b', 'write a/b/c', 'rename d', 'remove d', 'rmdir a/b']);
  });

  test("the running system's own root gives what the file system has, links on the way or not", () => {
    const top = fs.realpathSync(
      tree({
        'a/b/file': 'inside',
        'a/b/link': '-> file',
        'a/b/up': '-> ../c/file',
        'a/b/nowhere': '-> none',
        'a/b/gone/file': 'x',
        'a/c/file': 'other',
        'a/l': '-> b',
      }),
    );
    const root = open('/');
    const before = fs.readdirSync('/proc/self/fd').length;
    const told = (name: string): string | null => root.readText(path.join(top, 'a', name));
    expect(['b/file', 'b/link', 'l/file', 'l/link', 'b/gone/file'].map(told)).toEqual([
      ...Array(4).fill('inside'),
      'x',
    ]);
    expect(['b/up', 'l/up'].map(told)).toEqual(['other', 'other']);
    for (const name of ['b/nowhere', 'b/none', 'none/x', 'b/none/x', 'b/file/x', 'l/nowhere/x']) {
      expect([name, told(name), root.stat(path.join(top, 'a', name))]).toEqual([name, null, null]);
    }
    for (const name of ['b', 'l', 'b/file', 'l/up']) {
      expect(root.stat(path.join(top, 'a', name))?.ino).toBe(fs.statSync(path.join(top, 'a', name)).ino);
    }
    expect(codeOf(() => root.stat(`${top}/a/b/../b/file`))).toBe('path-escape');
    expect(root.lstat(path.join(top, 'a/b/link'))?.isSymbolicLink()).toBe(true);
    expect(root.realPath(path.join(top, 'a/l/up'))).toBe(path.join(top, 'a/c/file'));
    expect(root.list(path.join(top, 'a/l'))).toEqual(['file', 'gone', 'link', 'nowhere', 'up']);
    root.write(path.join(top, 'a/l/link'), 'new');
    expect(fs.readFileSync(path.join(top, 'a/b/link'), 'utf8')).toBe('new');
    expect(fs.readFileSync(path.join(top, 'a/b/file'), 'utf8')).toBe('inside');
    expect(codeOf(() => root.write(path.join(top, 'a/none/file'), 'new'))).toBe('file-unwritable');
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
  });

  test('no descriptor is left open, after success as after failure', () => {
    const root = made({ 'a/b/c': 'x', loop: '-> loop', out: '-> ../../..', link: '-> a/b' });
    const count = (): number => fs.readdirSync('/proc/self/fd').length;
    const before = count();
    for (let n = 0; n < 20; n++) {
      root.readText('link/c');
      root.list('a');
      root.write('a/b/w', 'x');
      root.mkdirs('m/n');
      root.stat('a/none/x');
      codeOf(() => root.read('loop'));
      codeOf(() => root.read('out/x'));
      codeOf(() => root.read('a'));
      codeOf(() => root.write('a', ''));
    }
    expect(count()).toBe(before);
  });
});

test('from / nothing leads out: links with too many .. are links to what lies there, as for every program', () => {
  const top = tree({ file: 'x', over: `-> ${'../'.repeat(40)}usr` });
  const host = new Root('/');
  expect(host.list(`${top}/over`)).toEqual(fs.readdirSync('/usr').sort());
  expect(host.readText(`${top}/file`)).toBe('x');
  expect(host.isHost).toBe(true);
});

test('a component that is swapped for a link in between is never followed out', async () => {
  const top = tree({ 'inside/d/f': 'inside' });
  const secret = tree({ f: 'SECRET' });
  const root = new Root(path.join(top, 'inside'));
  // Another process swaps the directory and a link to the outside, as fast as it can.
  const script = `
    const fs = require('fs');
    process.chdir(${JSON.stringify(path.join(top, 'inside'))});
    fs.symlinkSync(${JSON.stringify(`../../${path.basename(secret)}`)}, 'l');
    const end = Date.now() + 1500;
    while (Date.now() < end) { fs.renameSync('d', 't'); fs.renameSync('l', 'd'); fs.renameSync('d', 'l'); fs.renameSync('t', 'd'); }`;
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const seen = new Set<string>();
  let running = true;
  void ended.then(() => {
    running = false;
  });
  while (running) {
    for (let n = 0; n < 200; n++) {
      let answer: string;
      try {
        answer = root.readText('d/f') ?? 'absent';
      } catch (error) {
        answer = error instanceof KpmError ? error.code : String(error);
      }
      seen.add(answer);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(
    [...seen].filter((answer) => !['inside', 'absent', 'path-escape', 'file-unreadable'].includes(answer)),
  ).toEqual([]);
  expect(seen.has('inside')).toBe(true);
});

asRoot('with small, read-only and foreign file systems', () => {
  function mounted(options: string, act: (root: Root) => void): void {
    const top = tree({});
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', top]);
    try {
      act(new Root(top));
    } finally {
      execFileSync('umount', [top]);
    }
  }
  // Mounting needs CAP_SYS_ADMIN, which root in a container often lacks.
  const canMount = (() => {
    try {
      mounted('size=64k', () => {});
      return true;
    } catch {
      return false;
    }
  })();
  const withMounts = needsThat(canMount, 'mount (CAP_SYS_ADMIN)');

  withMounts('mounted', () => {
    test('full: the old content stays, nothing is left behind, and it is said', () => {
      mounted('size=64k', (root) => {
        root.write('f', 'old');
        expect(codeOf(() => root.write('f', Buffer.alloc(200_000)))).toBe('no-space');
        expect(root.readText('f')).toBe('old');
        expect(root.list('.')).toEqual(['f']);
        expect(roomAt(root, 'f').bytes).toBeLessThanOrEqual(65_536);
      });
    });

    test('without a free inode', () => {
      mounted('size=64k,nr_inodes=2', (root) => {
        root.write('f', 'x');
        expect(codeOf(() => root.write('g', 'x'))).toBe('no-space');
        expect(codeOf(() => root.mkdirs('d'))).toBe('no-space');
      });
    });

    test('read-only', () => {
      mounted('size=64k', (root) => {
        root.write('f', 'x');
        execFileSync('mount', ['-o', 'remount,ro', root.path]);
        expect(codeOf(() => root.write('f', 'y'))).toBe('read-only');
        expect(codeOf(() => root.remove('f'))).toBe('read-only');
        expect(codeOf(() => root.mkdirs('d'))).toBe('read-only');
        expect(root.readText('f')).toBe('x');
      });
    });
  });

  test('the owner is kept where that is asked', () => {
    const root = new Root(tree({}));
    root.write('f', 'x', { mode: 0o4640, owner: { uid: 1234, gid: 5678 } });
    const stat = root.stat('f');
    expect([stat?.uid, stat?.gid, (stat?.mode ?? 0) & 0o7777]).toEqual([1234, 5678, 0o4640]);
  });

  test('what an ordinary user may not read or write is told in words, not in descriptors', () => {
    const root = new Root(tree({ 'secret/f': 'x', 'closed/f': 'x' }));
    fs.chmodSync(root.path, 0o755);
    fs.chmodSync(path.join(root.path, 'secret'), 0o700);
    fs.chmodSync(path.join(root.path, 'closed/f'), 0o600);
    process.seteuid?.(65_534);
    try {
      const message = (act: () => unknown): string => {
        try {
          act();
        } catch (error) {
          if (error instanceof KpmError) return `${error.code}: ${error.message}`;
        }
        return 'no error';
      };
      expect(message(() => root.read('secret/f'))).toBe(
        `file-unreadable: ${root.path}/secret/f could not be read: permission denied.`,
      );
      expect(message(() => root.read('closed/f'))).toBe(
        `file-unreadable: ${root.path}/closed/f could not be read: permission denied.`,
      );
      expect(message(() => root.write('closed/f', 'y'))).toMatch(/^needs-root: /);
    } finally {
      process.seteuid?.(0);
    }
  });
});
