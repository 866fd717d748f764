// Debian kernels for the guests: chosen, downloaded and unpacked beside everything else; nothing is installed on the host.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { command } from './command.ts';
import { moveInto, place, scratch } from './place.ts';

export interface Kernel {
  /** `uname -r`. */
  readonly release: string;
  /** ELF kernel: starts some seconds sooner under emulation than the compressed one. */
  readonly vmlinux: string;
  /** Root under which lib/modules/RELEASE lies. */
  readonly root: string;
  /** Header tree to build modules against. */
  readonly headers: string;
}

/**
 * The newest two kernels that apt offers with image and headers, the newest first;
 * KPATCH_PM_VM_KERNELS="RELEASE ..." says otherwise.
 */
export function kernelReleases(): string[] {
  const wish = process.env.KPATCH_PM_VM_KERNELS?.split(/\s+/).filter(Boolean);
  if (wish?.length) return wish;
  let usable = offeredReleases();
  if (usable.length < 2) {
    // apt's lists may be missing or old.
    command('apt-get', ['-q', 'update']);
    usable = offeredReleases();
  }
  if (usable.length < 2) {
    throw new Error(
      `apt offers ${usable.length} kernels with headers here; set KPATCH_PM_VM_KERNELS="RELEASE RELEASE"`,
    );
  }
  return usable;
}

function offeredReleases(): string[] {
  const names = command('apt-cache', ['pkgnames', 'linux-headers-']).toString('utf8').split('\n');
  const number = (release: string): number => Number(/-(\d+)-/.exec(release)?.[1]);
  const known = names.flatMap((name) => /^linux-headers-(\d+\.\d+\.\d+-\d+-amd64)$/.exec(name)?.[1] ?? []);
  const usable: string[] = [];
  for (const release of known.sort((a, b) => number(b) - number(a))) {
    if (usable.length < 2 && offered([`linux-headers-${release}`, `linux-image-${release}`])) usable.push(release);
  }
  return usable;
}

/** Whether apt can really download these packages (old ABIs leave their names behind). */
function offered(names: readonly string[]): boolean {
  const text = command('apt-cache', ['policy', ...names]).toString('utf8');
  return [...text.matchAll(/Candidate: \d/g)].length === names.length;
}

/** Makes one kernel ready; a second call finds everything there. */
export function prepareKernel(release: string): Kernel {
  const root = path.join(place(), 'kernels', release);
  const source = path.join('usr/src', `linux-headers-${release}`);
  if (!existsSync(root)) {
    mkdirSync(path.dirname(root), { recursive: true });
    const made = scratch('kernel');
    unpack(`linux-image-${release}`, made);
    const depends = unpack(`linux-headers-${release}`, made);
    for (const other of depends.matchAll(/linux-(?:headers-[\w.+~-]+-common|kbuild-[\w.+~-]+)/g))
      unpack(other[0], made);
    relocate(path.join(made, source), root);
    command('depmod', ['-b', made, release]);
    writeFileSync(path.join(made, 'vmlinux'), elfKernel(readFileSync(path.join(made, 'boot', `vmlinuz-${release}`))));
    moveInto(made, root);
  }
  return { release, vmlinux: path.join(root, 'vmlinux'), root, headers: path.join(root, source) };
}

/** Downloads and unpacks one package; gives its Depends. */
function unpack(name: string, root: string): string {
  const debs = path.join(place(), 'debs');
  mkdirSync(debs, { recursive: true });
  const there = (): string | undefined => readdirSync(debs).find((file) => file.startsWith(`${name}_`));
  if (!there()) {
    try {
      command('apt-get', ['-q', 'download', name], { cwd: debs });
    } catch {
      command('apt-get', ['-q', 'update']);
      command('apt-get', ['-q', 'download', name], { cwd: debs });
    }
  }
  const deb = path.join(debs, there() ?? name);
  command('dpkg', ['-x', deb, root]);
  return command('dpkg-deb', ['-f', deb, 'Depends']).toString('utf8');
}

/** The makefile of a header tree names the common tree by its absolute path; point it below our root. */
function relocate(headers: string, root: string): void {
  const makefile = path.join(headers, 'Makefile');
  const text = readFileSync(makefile, 'utf8');
  writeFileSync(makefile, text.replaceAll(/(^|\s)\/usr\/(src|lib)\//gm, `$1${root}/usr/$2/`));
  // BTF of the kernel is not needed, and asks for a tool that may be missing.
  rmSync(path.join(headers, 'vmlinux'), { force: true });
}

const PACKERS: readonly { magic: string; program: string; args: string[] }[] = [
  { magic: 'fd377a58', program: 'xz', args: ['-dc', '--single-stream'] },
  { magic: '02214c18', program: 'lz4', args: ['-dc'] },
  { magic: '28b52ffd', program: 'zstd', args: ['-dc'] },
  { magic: '1f8b', program: 'gzip', args: ['-dc'] },
];

/** The ELF kernel inside a bzImage. Source: Documentation/arch/x86/boot.rst (payload_offset, payload_length). */
function elfKernel(image: Buffer): Buffer {
  if (image.toString('latin1', 0x202, 0x206) !== 'HdrS') throw new Error('not a bzImage');
  const setup = ((image[0x1f1] || 4) + 1) * 512;
  const offset = setup + image.readUInt32LE(0x248);
  const payload = image.subarray(offset, offset + image.readUInt32LE(0x24c));
  const packer = PACKERS.find(({ magic }) => payload.toString('hex', 0, magic.length / 2) === magic);
  if (!packer) throw new Error('unknown compression of the kernel');
  // Behind the packed kernel its size is kept in four bytes, which no program expects.
  const elf = command(packer.program, packer.args, { input: payload.subarray(0, -4) });
  if (elf.toString('latin1', 1, 4) !== 'ELF') throw new Error('no ELF kernel inside the image');
  return elf;
}
