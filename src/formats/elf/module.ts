// Facts about a kernel module file: which kernel it is for, whether it is a live patch, what it is called.
// Source: `.modinfo` and `.gnu.linkonce.this_module` as modpost writes them (scripts/mod/modpost.c of the kernel).
import { type PatchedFunction, patchedFunctions } from './functions.ts';
import { cString, type ElfFile, Fields, notAModule, readElf, rpmArch, section } from './reader.ts';
import { type ModuleSignature, moduleSignature } from './signature.ts';

export interface ModuleFacts {
  /** Name as /sys/module shows it. */
  readonly name: string;
  readonly vermagic: string;
  /** First word of vermagic: the `uname -r` the module was built for. */
  readonly release: string;
  /** Whether it declares itself a live patch (`livepatch=Y`). */
  readonly livepatch: boolean;
  /** rpm's name of the architecture. */
  readonly machine: string;
  /** Text of `.kpatch.checksum`, which kpatch-build adds. */
  readonly checksum: string | null;
  /** GNU build id in hexadecimal; equals /sys/module/NAME/notes/.note.gnu.build-id when this very file is loaded. */
  readonly buildId: string | null;
  readonly srcversion: string | null;
  readonly depends: readonly string[];
  readonly signature: ModuleSignature | null;
  readonly functions: readonly PatchedFunction[];
}

/** The largest module file that is taken, in bytes; the largest real ones have some MB. A module is held in memory whole. */
export const MAX_MODULE = 256 * 1024 * 1024;

const ET_REL = 1;
/** One path component, as it will be one in /sys/module; the longest the kernel takes (MODULE_NAME_LEN). */
const NAME = /^[A-Za-z0-9_.+~^-]{1,63}$/;

function modinfo(elf: ElfFile): Map<string, string> {
  const data = section(elf, '.modinfo')?.data;
  if (!data) throw notAModule('it has no .modinfo section');
  const found = new Map<string, string>();
  for (const entry of data.toString('latin1').split('\0')) {
    const equals = entry.indexOf('=');
    if (equals < 1) continue;
    const [key, value] = [entry.slice(0, equals), entry.slice(equals + 1)];
    const before = found.get(key);
    // The kernel takes the first, modinfo shows all: two answers to what decides are one too many.
    if (before !== undefined && before !== value && ['vermagic', 'name', 'livepatch'].includes(key)) {
      throw notAModule(`its .modinfo names ${key} twice, with different values`);
    }
    if (before === undefined) found.set(key, value);
  }
  return found;
}

/** The name inside struct module, which the kernel goes by: after the state and the two pointers of the list. */
function nameInStruct(elf: ElfFile): string | null {
  const data = section(elf, '.gnu.linkonce.this_module')?.data;
  if (!data) return null;
  const name = cString(data, elf.bits === 64 ? 24 : 12);
  if (NAME.test(name)) return name;
  return /(?:^|\0)([A-Za-z0-9_.+~^-]{2,63})\0/.exec(data.toString('latin1'))?.[1] ?? null;
}

/** The first GNU build id among the notes of a section. Source: elf(5), "Notes (Nhdr)". */
function buildId(elf: ElfFile): string | null {
  const data = section(elf, '.note.gnu.build-id')?.data;
  if (!data) return null;
  const fields = new Fields(data, elf.little);
  for (let at = 0; at + 12 <= data.length; ) {
    const [nameSize, size, type] = [fields.u32(at), fields.u32(at + 4), fields.u32(at + 8)];
    const start = at + 12 + ((nameSize + 3) & ~3);
    if (start < at || start + size > data.length) return null;
    if (type === 3 && cString(data, at + 12) === 'GNU') return data.toString('hex', start, start + size);
    at = start + ((size + 3) & ~3);
  }
  return null;
}

/**
 * Reads a module file. Gives its facts; raises `not-a-module` for anything that is no relocatable ELF file with the
 * sections every module has, or that contradicts itself.
 */
export function moduleFacts(bytes: Buffer): ModuleFacts {
  const elf = readElf(bytes);
  if (elf.type !== ET_REL) throw notAModule('it is an ELF file, but no relocatable object');
  const info = modinfo(elf);
  const vermagic = info.get('vermagic') ?? '';
  const release = vermagic.split(' ')[0] ?? '';
  if (release === '') throw notAModule('it does not say for which kernel it was built (no vermagic)');
  const [inner, outer] = [nameInStruct(elf), info.get('name') ?? null];
  if (inner !== null && outer !== null && inner !== outer) {
    throw notAModule(`it calls itself ${JSON.stringify(outer)} and ${JSON.stringify(inner)}`);
  }
  const name = inner ?? outer;
  if (name === null || !NAME.test(name) || name.startsWith('.')) throw notAModule('it has no usable module name');
  const checksum = section(elf, '.kpatch.checksum');
  return {
    name,
    vermagic,
    release,
    livepatch: info.get('livepatch') === 'Y',
    machine: rpmArch(elf),
    checksum: checksum === null ? null : cString(checksum.data, 0),
    buildId: buildId(elf),
    srcversion: info.get('srcversion') ?? null,
    depends: (info.get('depends') ?? '').split(',').filter((dependency) => dependency !== ''),
    signature: moduleSignature(bytes),
    functions: patchedFunctions(elf),
  };
}
