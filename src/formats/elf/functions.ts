// The functions a module built by kpatch-build replaces: `.kpatch.funcs`, an array of
// { new address, new size, old address, old size, symbol position, name, object }, each 8 bytes on 64 bit, where the two
// texts are relocations into `.kpatch.strings`. Source: kmod/patch/kpatch-patch.h of dynup/kpatch.
import { cString, type ElfFile, Fields, section } from './reader.ts';

const ENTRY = 7 * 8;
const NAME = 5 * 8;
const OBJECT = 6 * 8;
const RELA = 24;
const SYMBOL = 24;
const MAX_FUNCTIONS = 10_000;

export interface PatchedFunction {
  /** `vmlinux` or the module the function is in. */
  readonly object: string;
  readonly name: string;
}

/** The patched functions in the file's order; empty where the module does not say (other tools, 32 bit). */
export function patchedFunctions(elf: ElfFile): PatchedFunction[] {
  const table = section(elf, '.kpatch.funcs');
  const relocations = section(elf, '.rela.kpatch.funcs');
  const symbols = section(elf, '.symtab');
  if (elf.bits !== 64 || !table || !relocations || !symbols) return [];
  const rela = new Fields(relocations.data, elf.little);
  const symtab = new Fields(symbols.data, elf.little);

  const texts = new Map<number, string>();
  for (let at = 0; at + RELA <= relocations.data.length && texts.size < 2 * MAX_FUNCTIONS; at += RELA) {
    const offset = rela.u64(at);
    if (offset % ENTRY !== NAME && offset % ENTRY !== OBJECT) continue;
    // r_info: the symbol is in the upper half of the 64-bit number, whichever the byte order.
    const symbol = rela.u32(at + (elf.little ? 12 : 8)) * SYMBOL;
    if (symbol + SYMBOL > symbols.data.length) continue;
    const home = elf.sections[symtab.u16(symbol + 6)];
    if (home) texts.set(offset, cString(home.data, symtab.u64(symbol + 8) + rela.u64(at + 16)));
  }

  const found: PatchedFunction[] = [];
  for (let at = 0; at + ENTRY <= table.data.length && found.length < MAX_FUNCTIONS; at += ENTRY) {
    const name = texts.get(at + NAME);
    if (name) found.push({ name, object: texts.get(at + OBJECT) || 'vmlinux' });
  }
  return found;
}
