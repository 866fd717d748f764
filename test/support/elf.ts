// Kernel modules built byte by byte, in both byte orders and both sizes, for what no compiler of this machine makes.
// The layout follows elf(5). For real modules see repo-fixtures.

export interface ElfModule {
  readonly bits?: 32 | 64;
  readonly little?: boolean;
  /** e_machine; 62 (x86-64) unless said. */
  readonly machine?: number;
  /** e_type; 1 (relocatable) unless said. */
  readonly type?: number;
  readonly sections: Readonly<Record<string, Buffer>>;
}

/** A module file as sections; give `.modinfo` with modinfo() and the struct with thisModule(). */
export function elf(module: ElfModule): Buffer {
  const { bits = 64, little = true, machine = 62, type = 1 } = module;
  const wide = bits === 64;
  const names = ['', ...Object.keys(module.sections), '.shstrtab'];
  const strings = Buffer.from(`${names.join('\0')}\0`, 'latin1');
  const bodies = [Buffer.alloc(0), ...Object.values(module.sections), strings];
  const headerSize = wide ? 64 : 52;
  const entrySize = wide ? 64 : 40;

  const offsets: number[] = [];
  let at = headerSize;
  for (const body of bodies) {
    offsets.push(at);
    at += body.length;
  }
  const file = Buffer.alloc(at + entrySize * bodies.length);
  const u16 = (value: number, to: number) => (little ? file.writeUInt16LE(value, to) : file.writeUInt16BE(value, to));
  const u32 = (value: number, to: number) => (little ? file.writeUInt32LE(value, to) : file.writeUInt32BE(value, to));
  const word = (value: number, to: number) => {
    if (!wide) return u32(value, to);
    return little ? file.writeBigUInt64LE(BigInt(value), to) : file.writeBigUInt64BE(BigInt(value), to);
  };
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1], 0);
  u16(type, 16);
  u16(machine, 18);
  word(at, wide ? 40 : 32);
  u16(entrySize, wide ? 58 : 46);
  u16(bodies.length, wide ? 60 : 48);
  u16(bodies.length - 1, wide ? 62 : 50);
  let name = 0;
  for (const [n, body] of bodies.entries()) {
    file.set(body, offsets[n]);
    const entry = at + n * entrySize;
    u32(name, entry);
    u32(n === 0 ? 0 : 1, entry + 4);
    word(offsets[n] as number, entry + (wide ? 24 : 16));
    word(body.length, entry + (wide ? 32 : 20));
    name += (names[n] as string).length + 1;
  }
  return file;
}

export const modinfo = (...entries: string[]): Buffer => Buffer.from(`${entries.join('\0')}\0`, 'latin1');

/** struct module up to the name: state, list, name[64 - sizeof(long)]. */
export function thisModule(name: string, bits: 32 | 64 = 64): Buffer {
  const struct = Buffer.alloc(256);
  struct.write(name, bits === 64 ? 24 : 12, 'latin1');
  return struct;
}

/** A GNU build-id note. */
export function buildIdNote(id: string, little = true): Buffer {
  const body = Buffer.from(id, 'hex');
  const note = Buffer.alloc(16 + body.length);
  for (const [n, value] of [4, body.length, 3].entries()) {
    if (little) note.writeUInt32LE(value, n * 4);
    else note.writeUInt32BE(value, n * 4);
  }
  note.write('GNU\0', 12, 'latin1');
  note.set(body, 16);
  return note;
}

export interface LivePatch {
  readonly name: string;
  readonly release: string;
  readonly bits?: 32 | 64;
  readonly little?: boolean;
  readonly machine?: number;
  readonly modinfo?: readonly string[];
  readonly more?: Readonly<Record<string, Buffer>>;
}

/** A whole live-patch module. */
export function livePatch(patch: LivePatch): Buffer {
  const { bits = 64, little = true, machine = 62 } = patch;
  const info = patch.modinfo ?? ['livepatch=Y', 'license=GPL', 'depends=', `vermagic=${patch.release} SMP mod_unload `];
  return elf({
    bits,
    little,
    machine,
    sections: {
      '.modinfo': modinfo(...info),
      '.gnu.linkonce.this_module': thisModule(patch.name, bits),
      ...patch.more,
    },
  });
}
