// Reading ELF object files: sections and symbols, every access bounds-checked. Source: elf(5), the System V gABI.
import { KpmError } from '../../errors.ts';

export interface Section {
  readonly name: string;
  readonly type: number;
  readonly info: number;
  readonly data: Buffer;
}

export interface ElfFile {
  readonly bits: 32 | 64;
  readonly little: boolean;
  /** e_type: 1 is a relocatable object, which kernel modules are. */
  readonly type: number;
  readonly machine: number;
  readonly sections: readonly Section[];
}

const SHT_NOBITS = 8;
const SHN_XINDEX = 0xffff;
/** More sections than this no kernel module has; the count comes from the file and must not size our work. */
const MAX_SECTIONS = 65_536;

export function notAModule(why: string): KpmError {
  return new KpmError('not-a-module', { text: `The file is not a usable kernel module: ${why}.` });
}

/** `length` bytes at `offset`; raises `not-a-module` where the file ends before. */
export function slice(bytes: Buffer, offset: number, length: number, what: string): Buffer {
  if (offset < 0 || length < 0 || !Number.isSafeInteger(offset + length) || offset + length > bytes.length) {
    throw notAModule(`${what} lies outside the file`);
  }
  return bytes.subarray(offset, offset + length);
}

/** Reads numbers of one file in its byte order; offsets outside raise `not-a-module`. */
export class Fields {
  readonly #bytes: Buffer;
  readonly #little: boolean;

  constructor(bytes: Buffer, little: boolean) {
    this.#bytes = bytes;
    this.#little = little;
  }

  u16(at: number): number {
    const part = slice(this.#bytes, at, 2, 'a field');
    return this.#little ? part.readUInt16LE() : part.readUInt16BE();
  }

  u32(at: number): number {
    const part = slice(this.#bytes, at, 4, 'a field');
    return this.#little ? part.readUInt32LE() : part.readUInt32BE();
  }

  /** A 64-bit number; one beyond 2^53 is outside every file we read. */
  u64(at: number): number {
    const part = slice(this.#bytes, at, 8, 'a field');
    return Number(this.#little ? part.readBigUInt64LE() : part.readBigUInt64BE());
  }

  /** A number of the size of an address. */
  word(at: number, bits: 32 | 64): number {
    return bits === 64 ? this.u64(at) : this.u32(at);
  }
}

/** The text up to the next NUL (or the end). */
export function cString(bytes: Buffer, at: number): string {
  if (at < 0 || at >= bytes.length) return '';
  const end = bytes.indexOf(0, at);
  return bytes.toString('latin1', at, end < 0 ? bytes.length : end);
}

/** Reads header and sections. Raises `not-a-module` for anything that is no ELF file or is cut short. */
export function readElf(bytes: Buffer): ElfFile {
  if (bytes.length === 0) throw notAModule('it is empty');
  if (bytes.length < 52 || bytes.readUInt32BE(0) !== 0x7f454c46) throw notAModule('it does not start as an ELF file');
  const [bits, little] = [bytes[4] === 2 ? 64 : 32, bytes[5] === 1] as const;
  if ((bytes[4] !== 1 && bytes[4] !== 2) || (bytes[5] !== 1 && bytes[5] !== 2)) {
    throw notAModule('its ELF class or byte order is unknown');
  }
  const fields = new Fields(bytes, little);
  const wide = bits === 64;
  const table = fields.word(wide ? 40 : 32, bits);
  const entry = fields.u16(wide ? 58 : 46);
  let count = fields.u16(wide ? 60 : 48);
  let names = fields.u16(wide ? 62 : 50);
  if (table === 0) throw notAModule('it has no sections');
  if (entry < (wide ? 64 : 40)) throw notAModule('its section table is malformed');
  // gABI: where the numbers do not fit 16 bits, section 0 carries them.
  if (count === 0) count = fields.word(table + (wide ? 32 : 20), bits);
  if (names === SHN_XINDEX) names = fields.u32(table + (wide ? 40 : 24));
  if (count > MAX_SECTIONS) throw notAModule('its section table is malformed');
  slice(bytes, table, count * entry, 'its section table');

  const raw = Array.from({ length: count }, (_, n) => {
    const at = table + n * entry;
    const type = fields.u32(at + 4);
    const offset = fields.word(at + (wide ? 24 : 16), bits);
    const size = fields.word(at + (wide ? 32 : 20), bits);
    const data = type === SHT_NOBITS || n === 0 ? bytes.subarray(0, 0) : slice(bytes, offset, size, `section ${n}`);
    return { name: fields.u32(at), type, info: fields.u32(at + (wide ? 44 : 28)), data };
  });
  const strings = raw[names]?.data ?? bytes.subarray(0, 0);
  return {
    bits,
    little,
    type: fields.u16(16),
    machine: fields.u16(18),
    sections: raw.map((section) => ({ ...section, name: cString(strings, section.name) })),
  };
}

/** The first section of a name; null when there is none. */
export function section(elf: ElfFile, name: string): Section | null {
  return elf.sections.find((candidate) => candidate.name === name) ?? null;
}

// Source: the gABI's e_machine table; names are rpm's. PowerPC and AArch64 come in both byte orders.
const MACHINES: Readonly<Record<number, (elf: ElfFile) => string | null>> = {
  3: () => 'i686',
  8: () => 'mips',
  20: () => 'ppc',
  21: (elf) => (elf.little ? 'ppc64le' : 'ppc64'),
  22: (elf) => (elf.bits === 64 ? 's390x' : 's390'),
  40: () => 'armv7hl',
  62: () => 'x86_64',
  183: (elf) => (elf.little ? 'aarch64' : null),
  243: (elf) => (elf.bits === 64 ? 'riscv64' : null),
  258: () => 'loongarch64',
};

/** rpm's name of the architecture; raises `not-a-module` for one it has no name for. */
export function rpmArch(elf: ElfFile): string {
  const name = MACHINES[elf.machine]?.(elf) ?? null;
  if (name === null) throw notAModule(`its machine number ${elf.machine} is not known`);
  return name;
}
