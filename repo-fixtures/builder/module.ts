// Live-patch modules: small relocatable ELF objects made by gcc that modinfo and readelf take for kernel modules.
// They have no code a kernel could run usefully; test/vm builds loadable ones against a real kernel.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tool } from './tools.ts';

export interface ModuleSource {
  /** Module name as the kernel shows it: letters, digits, underscores. */
  readonly name: string;
  /** First word of vermagic: the kernel release. */
  readonly release: string;
  /** False leaves `livepatch=Y` out, as an ordinary driver. */
  readonly livepatch?: boolean;
  readonly description?: string;
  /** Patched functions, `object:function`. */
  readonly functions?: readonly string[];
  /** e_machine of the ELF header; x86-64 (62) unless said. 21 is PowerPC 64, 183 AArch64. */
  readonly machine?: number;
  /** Cuts the file to this many bytes. */
  readonly truncate?: number;
  /** Appends a kernel module signature made by the test certificate. */
  readonly signed?: boolean;
  /** Text of .kpatch.checksum; derived from the name unless said. */
  readonly checksum?: string;
}

/** The C text of a module. `struct module` is kept to what readers look at: its name, 24 bytes in (linux/module.h, 64 bit). */
function sourceText(source: ModuleSource): string {
  const md5 = createHash('md5').update(source.name).digest('hex');
  const info: [string, string][] = [];
  if (source.livepatch !== false) info.push(['livepatch', 'Y']);
  info.push(['license', 'GPL'], ['description', source.description ?? 'Test fixture without code']);
  info.push(['depends', ''], ['srcversion', md5.slice(0, 23).toUpperCase()], ['name', source.name]);
  info.push(['vermagic', `${source.release} SMP preempt mod_unload modversions `]);
  const lines = ['#define IN(s) __attribute__((section(s), used, aligned(1)))'];
  for (const [index, [key, value]] of info.entries()) {
    lines.push(`static const char info${index}[] IN(".modinfo") = "${key}=${value}";`);
  }
  lines.push(
    'struct module { int state; int pad; void *next, *prev; char name[56]; void *init; void *exit; };',
    'int init_module(void) { return 0; }',
    'void cleanup_module(void) { }',
    '__attribute__((section(".gnu.linkonce.this_module"), used)) struct module __this_module =',
    `  { .name = "${source.name}", .init = init_module, .exit = cleanup_module };`,
    `static const char checksum[] IN(".kpatch.checksum") = "${source.checksum ?? md5}";`,
    'struct kpatch_func { unsigned long new_addr, new_size, old_addr, old_size, sympos; const char *name, *objname; };',
  );
  const records: string[] = [];
  for (const [index, patched] of (source.functions ?? ['vmlinux:example_function']).entries()) {
    const [object, name] = patched.split(':');
    lines.push(
      `static const char object${index}[] IN(".kpatch.strings") = "${object}";`,
      `static const char name${index}[] IN(".kpatch.strings") = "${name}";`,
      `int patched${index}(int value) { return value + ${index}; }`,
    );
    records.push(`{ (unsigned long)patched${index}, 16, 0, 16, 1, name${index}, object${index} }`);
  }
  lines.push(
    `__attribute__((section(".kpatch.funcs"), used, aligned(8))) static struct kpatch_func funcs[] =`,
    `  { ${records.join(', ')} };`,
  );
  return `${lines.join('\n')}\n`;
}

const cache = new Map<string, Buffer>();

/** Makes a module file; raises an Error with gcc's words when it fails. The same source gives the same bytes. */
export function buildModule(source: ModuleSource, keysDirectory: string): Buffer {
  const key = JSON.stringify(source);
  const known = cache.get(key);
  if (known) return known;
  const directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-module-'));
  try {
    writeFileSync(path.join(directory, 'module.c'), sourceText(source));
    const flags = [
      '-O1',
      '-g0',
      '-fno-ident',
      '-fno-pie',
      '-fno-toplevel-reorder',
      '-fno-asynchronous-unwind-tables',
      '-fcf-protection=none',
    ];
    tool('gcc', ['-c', ...flags, '-ffreestanding', '-o', 'module.o', 'module.c'], { cwd: directory });
    const link = ['-r', '--build-id=sha1', '-x', '-o', 'module.ko', 'module.o'];
    tool('ld', link, { cwd: directory });
    let bytes: Buffer = readFileSync(path.join(directory, 'module.ko'));
    if (source.machine !== undefined) bytes.writeUInt16LE(source.machine, 18);
    if (source.signed) bytes = Buffer.concat([bytes, moduleSignature(bytes, directory, keysDirectory)]);
    if (source.truncate !== undefined) bytes = bytes.subarray(0, source.truncate);
    cache.set(key, bytes);
    return bytes;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** PKCS#7 blob, struct module_signature and the magic line (include/linux/module_signature.h). */
function moduleSignature(bytes: Buffer, directory: string, keysDirectory: string): Buffer {
  const plain = path.join(directory, 'unsigned.ko');
  writeFileSync(plain, bytes);
  const certificate = path.join(keysDirectory, 'module-signing.pem');
  const cms = ['cms', '-sign', '-binary', '-noattr', '-nocerts', '-md', 'sha256', '-outform', 'DER', '-in', plain];
  const blob = tool('openssl', [...cms, '-signer', certificate, '-inkey', certificate]);
  const trailer = Buffer.alloc(12);
  trailer.writeUInt8(2, 2); // id_type PKEY_ID_PKCS7; the other fields are 0 for this type
  trailer.writeUInt32BE(blob.length, 8);
  return Buffer.concat([blob, trailer, Buffer.from('~Module signature appended~\n')]);
}
