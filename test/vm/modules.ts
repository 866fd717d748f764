// The test modules, built from modules/*.c against a kernel's headers, and the damaged files made from them.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { top } from '../support/top.ts';
import { command } from './command.ts';
import type { Kernel } from './kernels.ts';
import { moveInto, place, scratch } from './place.ts';

/** `6.1.0-56-amd64` -> `6_1_0-56_amd64`: the short name a vendor's stream of this kernel would have. */
export function shortName(release: string): string {
  const [version = '', ...rest] = release.split('-');
  return `${version}-${rest.join('_')}`.replaceAll('.', '_').replaceAll('+', '_');
}

/** File name of a level, as vendors name it; the module's name is the same with `_` for `-`. */
export function levelFile(release: string, level: string): string {
  return `kpatch-${shortName(release)}-${level}.ko`;
}

export function moduleName(file: string): string {
  return path.basename(file, '.ko').replaceAll('-', '_');
}

/** Levels and oddities: what to define for each. `LEVEL` is added. */
const LEVELS: Readonly<Record<string, readonly string[]>> = {
  '1-1': [],
  '1-2': [],
  '1-10': [],
  // Stalls while a task sits in linger_wait().
  '1-3': ['BLOCKED'],
  // The kernel refuses these: a function it does not have, an init that gives up.
  '1-4': ['NO_SUCH'],
  '1-5': ['REFUSE=ENODEV'],
  // Brings the machine down while it is loaded.
  '1-6': ['CRASH'],
  '9-1': ['CUMULATIVE=0'],
};
const ODD: Readonly<Record<string, readonly string[]>> = {
  'odd-refuse': ['REFUSE=ENODEV'],
  'odd-nosuch': ['NO_SUCH'],
  'odd-veto': ['VETO=ENOMEM'],
  'odd-crash': ['CRASH'],
  // Its init does not come back for ten minutes, and nobody can kill who waits for it.
  'odd-hang': ['HANG'],
  'odd-ordinary': ['ORDINARY'],
};

/** Builds all modules of one kernel (once for each state of the sources) and gives the directory. */
export function buildModules(kernel: Kernel): string {
  const sources = path.join(top, 'test/vm/modules');
  const state = createHash('sha256').update(readFileSync(path.join(top, 'test/vm/modules.ts')));
  for (const name of readdirSync(sources)) state.update(readFileSync(path.join(sources, name)));
  const out = path.join(place(), 'modules', `${kernel.release}-${state.digest('hex').slice(0, 12)}`);
  if (existsSync(out)) return out;
  mkdirSync(path.dirname(out), { recursive: true });
  const work = scratch('build');
  const kbuild: string[] = ['obj-m += linger.o'];
  copyFileSync(path.join(sources, 'linger.c'), path.join(work, 'linger.c'));
  const add = (name: string, level: string, defines: readonly string[]): void => {
    copyFileSync(path.join(sources, 'marker.c'), path.join(work, `${name}.c`));
    const flags = [`LEVEL='"${level}"'`, ...defines].map((define) => `-D${define}`).join(' ');
    kbuild.push(`obj-m += ${name}.o`, `CFLAGS_${name}.o := ${flags}`);
  };
  for (const [level, defines] of Object.entries(LEVELS)) {
    add(path.basename(levelFile(kernel.release, level), '.ko'), level, defines);
  }
  for (const [name, defines] of Object.entries(ODD)) add(name, name, defines);
  writeFileSync(path.join(work, 'Kbuild'), `${kbuild.join('\n')}\n`);
  command('make', ['-s', '-C', kernel.headers, `M=${work}`, '-j2', 'modules']);
  const ready = scratch('modules');
  for (const name of readdirSync(work).filter((file) => file.endsWith('.ko'))) {
    // Only debug information may go: live patches need their symbols.
    command('strip', ['--strip-debug', '-o', path.join(ready, name), path.join(work, name)]);
    if (name.startsWith('kpatch-')) addChecksum(path.join(ready, name));
  }
  damage(kernel.release, ready);
  rmSync(work, { recursive: true });
  moveInto(ready, out);
  return out;
}

/** kpatch-build puts an md5 of the module into a section of its own; the kernel does not read it. */
function addChecksum(file: string): void {
  const sum = `${file}.sum`;
  writeFileSync(sum, `${createHash('md5').update(readFileSync(file)).digest('hex')}\0`);
  const flags = '.kpatch.checksum=alloc,load,contents,readonly';
  command('objcopy', ['--add-section', `.kpatch.checksum=${sum}`, '--set-section-flags', flags, file]);
  rmSync(sum);
}

/** Files that need no compiler: cut short, other flags in vermagic, another kernel's release there, another build id. */
function damage(release: string, directory: string): void {
  const good = readFileSync(path.join(directory, levelFile(release, '1-1')));
  writeFileSync(path.join(directory, 'odd-truncated.ko'), good.subarray(0, good.length / 2));
  writeFileSync(path.join(directory, 'odd-vermagic.ko'), replaced(good, 'SMP preempt', 'SMP prEEmpt'));
  const note = good.indexOf(Buffer.from('040000001400000003000000474e5500', 'hex'));
  if (note < 0) throw new Error('the module has no build id');
  const other = Buffer.from(good);
  other.writeUInt8((other.readUInt8(note + 16) + 1) % 256, note + 16);
  writeFileSync(path.join(directory, 'odd-buildid.ko'), other);
  const stranger = release.replace(/^\d/, (digit) => String((Number(digit) + 1) % 10));
  writeFileSync(
    path.join(directory, 'odd-release.ko'),
    replaced(good, `vermagic=${release} `, `vermagic=${stranger} `),
  );
}

function replaced(bytes: Buffer, what: string, by: string): Buffer {
  const text = bytes.toString('latin1');
  if (!text.includes(what)) throw new Error(`the module does not contain "${what}"`);
  return Buffer.from(text.replace(what, by), 'latin1');
}

/** A module with a signature appended by the kernel's own tool, with a key that was just made and that no kernel knows. */
export function signedByStranger(
  kernel: Kernel,
  module: string,
  directory: string,
  names: 'key' | 'certificate',
): string {
  const kbuild = path.join(
    kernel.root,
    'usr/lib',
    readdirSync(path.join(kernel.root, 'usr/lib')).find((name) => name.startsWith('linux-kbuild')) ?? '',
  );
  const key = path.join(directory, 'stranger.pem');
  const out = path.join(directory, `${names}.ko`);
  if (!existsSync(key)) {
    const request = ['req', '-new', '-x509', '-nodes', '-batch', '-sha256', '-days', '36500', '-newkey', 'rsa:2048'];
    command('openssl', [...request, '-subj', '/CN=A stranger/', '-keyout', key, '-out', `${key}.cert`]);
  }
  const how = names === 'key' ? ['-k'] : [];
  command(path.join(kbuild, 'scripts/sign-file'), [...how, 'sha256', key, `${key}.cert`, module, out]);
  return out;
}
