import { afterAll, describe, expect, test } from '@jest/globals';
import { baseArch, rpmArch } from '../../../src/host/arch.ts';
import { isContained, loginUser } from '../../../src/host/real.ts';
import { Root } from '../../../src/host/root.ts';
import { removeTrees, tree } from '../../support/config-root.ts';

afterAll(removeTrees);

const host = (files: Record<string, string>): Root => new Root(tree(files));

const MOUNTED = '27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n';

test.each<[string, Record<string, string>, boolean]>([
  ['nothing says so', {}, false],
  ['podman', { 'run/.containerenv': '' }, true],
  ['docker', { '.dockerenv': '' }, true],
  ['systemd as manager', { 'run/systemd/container': 'systemd-nspawn\n' }, true],
  ['the environment of process 1', { 'proc/1/environ': 'PATH=/bin\0container=lxc\0' }, true],
  ['another variable of process 1', { 'proc/1/environ': 'mycontainer=x\0containers=y\0container=\0' }, false],
  ['a root that is a mount', { 'proc/self/mountinfo': `22 27 0:21 / /proc rw - proc proc rw\n${MOUNTED}` }, false],
  ['a chroot: its root is no mount', { 'proc/self/mountinfo': '22 27 0:21 / /proc rw - proc proc rw\n' }, true],
  ['a mark that is a link to nowhere', { 'run/.containerenv': '-> nowhere' }, true],
])('a container: %s', (_what, files, expected) => {
  expect(isContained(host(files))).toBe(expected);
});

describe('the user who logged in', () => {
  const passwd =
    'root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/alice:/bin/bash\nevil\u001b[2J:x:1001:1:::\n';
  test.each<[string, string | null, Record<string, string>, number, string]>([
    ['by loginuid, whatever sudo made of him', '1000', {}, 0, 'alice'],
    ['loginuid beats sudo', '0', { SUDO_UID: '1000' }, 0, 'root'],
    ['by sudo, where nobody logged in', '4294967295', { SUDO_UID: '1000' }, 0, 'alice'],
    ['sudo counts for root only', '4294967295', { SUDO_UID: '0' }, 1000, 'alice'],
    ['by uid', null, {}, 0, 'root'],
    ['not in passwd', '4711', {}, 0, 'uid 4711'],
    ['a name that would garble the terminal', '1001', {}, 0, 'uid 1001'],
    ['sudo with nonsense', null, { SUDO_UID: '0; rm' }, 0, 'root'],
  ])('%s', (_what, login, env, uid, expected) => {
    const files = { 'etc/passwd': passwd, ...(login === null ? {} : { 'proc/self/loginuid': login }) };
    expect(loginUser(host(files), env, uid)).toBe(expected);
  });

  test('without any file', () => {
    expect(loginUser(host({}), {}, 7)).toBe('uid 7');
  });
});

test.each([
  ['x64', 'x86_64'],
  ['arm64', 'aarch64'],
  ['x86_64', 'x86_64'],
  ['ppc64le', 'ppc64le'],
  ['armv7l', 'armv7hl'],
  ['s390x', 's390x'],
])('%s is %s to rpm', (machine, arch) => {
  expect(rpmArch(machine)).toBe(arch);
});

test('base architectures', () => {
  expect([baseArch('i686'), baseArch('amd64'), baseArch('armv7hl'), baseArch('noarch'), baseArch('vax')]).toEqual([
    'i386',
    'x86_64',
    'armhfp',
    'noarch',
    null,
  ]);
});
