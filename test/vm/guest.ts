// The small guest's user space as an initramfs: bash, GNU tools, kmod, node and their libraries, copied from the host.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { top } from '../support/top.ts';
import { command } from './command.ts';
import { Cpio } from './cpio.ts';
import type { Kernel } from './kernels.ts';
import { place, scratch, which } from './place.ts';

/** What the agent, the tests and the kpatch utility (a bash script) call. */
const TOOLS =
  `bash ls cat cp mv rm mkdir rmdir mktemp sleep sort uniq wc head tail cut tr md5sum sha256sum basename dirname
  readlink realpath stat touch chmod chown chcon ln date env tee seq uname df du id sync timeout fmt dd mknod od stty nproc expr test
  printf echo true false kill base64 cmp diff grep sed mawk find xargs tar gzip xz zstd bzip2 mount umount getopt column dmesg
  flock setsid kmod readelf ps pgrep ip logger`.split(/\s+/);

const APPLETS = ['insmod', 'rmmod', 'modprobe', 'modinfo', 'lsmod', 'depmod'];

/** Builds the archive once for each state of its parts and gives its path. */
export function guestArchive(): string {
  const guest = path.join(top, 'test/vm/guest');
  const node = realpathSync(process.execPath);
  const state = createHash('sha256').update(process.version).update(node);
  for (const file of ['init.sh', 'agent.sh', '../guest.ts', '../cpio.ts'])
    state.update(readFileSync(path.join(guest, file)));
  const out = path.join(place(), 'guest', `base-${state.digest('hex').slice(0, 12)}.cpio`);
  if (existsSync(out)) return out;
  mkdirSync(path.dirname(out), { recursive: true });
  const cpio = new Cpio(`${out}.${process.pid}`);
  cpio.top();
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) cpio.link(name, `usr/${name}`);
  for (const name of [
    'proc',
    'sys',
    'dev',
    'run',
    'tmp',
    'root',
    'var/lib',
    'var/log',
    'var/tmp',
    'var/cache',
    'etc',
  ]) {
    cpio.directory(name);
  }
  cpio.link('var/run', '/run');
  const libraries = new Set<string>();
  const program = (target: string, from: string): void => {
    cpio.file(target, readFileSync(from), 0o755);
    for (const library of librariesOf(from)) libraries.add(library);
  };
  for (const tool of TOOLS) {
    const found = which(tool);
    if (found === null) throw new Error(`the guest needs ${tool}, which this machine does not have`);
    program(found.replace(/^\/(s?bin)\//, '/usr/$1/'), realpathSync(found));
  }
  program('/usr/bin/node', node);
  for (const applet of APPLETS) cpio.link(`/usr/sbin/${applet}`, '../bin/kmod');
  cpio.link('/usr/bin/awk', 'mawk');
  cpio.link('/usr/bin/sh', 'bash');
  for (const library of libraries) cpio.file(library.replace(/^\/lib/, '/usr/lib'), readFileSync(library), 0o755);
  cpio.file('/etc/passwd', 'root:x:0:0:root:/root:/bin/bash\n');
  cpio.file('/etc/group', 'root:x:0:\n');
  cpio.file('/etc/hosts', '127.0.0.1 localhost\n10.0.2.2 host\n');
  cpio.file('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files\n');
  cpio.file('/etc/os-release', 'ID=kpm-test\nVERSION_ID=1\nNAME="kpatch-pm test guest"\n');
  cpio.file('/init', readFileSync(path.join(guest, 'init.sh')), 0o755);
  cpio.file('/usr/lib/kpm-test/agent.sh', readFileSync(path.join(guest, 'agent.sh')), 0o755);
  cpio.end();
  renameSync(`${out}.${process.pid}`, out);
  return out;
}

/** Shared libraries of a program, as the dynamic linker finds them; none for a static one. */
function librariesOf(file: string): string[] {
  let text = '';
  try {
    text = command('ldd', [file]).toString('utf8');
  } catch {
    // "not a dynamic executable": nothing to add.
  }
  return [...text.matchAll(/(\/[^\s]+) \(0x/g)].map((match) => match[1] as string);
}

/** Drivers the guest loads by itself, and what the tests may ask for. */
const DRIVERS = ['virtio_pci', 'virtio_console', 'virtio_net', 'virtio_blk', 'crc32c_generic', 'ext4'];

/** lib/modules/RELEASE with the few drivers needed, as an archive of its own. */
export function driverArchive(kernel: Kernel): string {
  const recipe = createHash('sha256').update(readFileSync(path.join(top, 'test/vm/guest.ts')));
  const out = path.join(place(), 'guest', `drivers-${kernel.release}-${recipe.digest('hex').slice(0, 12)}.cpio`);
  if (existsSync(out)) return out;
  mkdirSync(path.dirname(out), { recursive: true });
  const base = path.join(kernel.root, 'lib/modules', kernel.release);
  const depends = new Map<string, string[]>();
  for (const line of readFileSync(path.join(base, 'modules.dep'), 'utf8').split('\n')) {
    const [file, rest] = line.split(':');
    if (file) depends.set(file, (rest ?? '').split(' ').filter(Boolean));
  }
  const wanted = new Set<string>();
  for (const [file, needs] of depends) {
    const name = path
      .basename(file)
      .replace(/\.ko(\.\w+)?$/, '')
      .replaceAll('-', '_');
    if (DRIVERS.includes(name)) for (const one of [file, ...needs]) wanted.add(one);
  }
  // modprobe reads the binary indexes only: depmod makes them for just these drivers.
  const stage = scratch('drivers');
  const target = path.join(stage, 'lib/modules', kernel.release);
  for (const file of wanted) cpSync(path.join(base, file), path.join(target, file));
  for (const name of ['modules.builtin', 'modules.builtin.modinfo', 'modules.order']) {
    cpSync(path.join(base, name), path.join(target, name));
  }
  command('depmod', ['-b', stage, kernel.release]);
  const cpio = new Cpio(`${out}.${process.pid}`);
  cpio.copy(`usr/lib/modules/${kernel.release}`, target);
  rmSync(stage, { recursive: true });
  cpio.end();
  renameSync(`${out}.${process.pid}`, out);
  return out;
}
