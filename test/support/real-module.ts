// A real live patch, compiled by the kernel's own build system from test/vm/modules/marker.c, but for a kernel release of
// our choice: its vermagic is that of an Enterprise Linux kernel. (What it patches is there in any kernel; where it is
// loaded, test/vm does that with the kernels it has.)
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tool } from '../../repo-fixtures/builder/tools.ts';
import { top } from './top.ts';

/** The newest header tree of the distribution; null where there is none. */
export function headers(): string | null {
  const found = existsSync('/usr/src')
    ? readdirSync('/usr/src').filter((name) => /^linux-headers-.*-amd64$/.test(name))
    : [];
  const last = found.sort().at(-1);
  return last === undefined ? null : path.join('/usr/src', last);
}

/** Compiles one module for each name (`kpatch-5_14_0-427_13_1-1-1`), in one run; gives their bytes. */
export function realModules(names: readonly string[], release: string): Map<string, Buffer> {
  const work = mkdtempSync(path.join(os.tmpdir(), 'kpm-kbuild-'));
  try {
    const kbuild = names.map((name) => {
      copyFileSync(path.join(top, 'test/vm/modules/marker.c'), path.join(work, `${name}.c`));
      return `obj-m += ${name}.o\nCFLAGS_${name}.o := -DLEVEL='"${name}"'\n`;
    });
    writeFileSync(path.join(work, 'Kbuild'), kbuild.join(''));
    // Found before the kernel's own.
    mkdirSync(path.join(work, 'first/generated'), { recursive: true });
    writeFileSync(path.join(work, 'first/generated/utsrelease.h'), `#define UTS_RELEASE "${release}"\n`);
    const first = `NOSTDINC_FLAGS=-nostdinc -I${work}/first`;
    tool('make', ['-s', '-C', headers() as string, `M=${work}`, first, 'modules']);
    return new Map(
      names.map((name) => {
        tool('strip', ['--strip-debug', path.join(work, `${name}.ko`)]);
        return [name, readFileSync(path.join(work, `${name}.ko`))];
      }),
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
