// Packages that are too large to be kept in memory by the dozen.
import { gzipSync } from 'node:zlib';
import { TAG, TYPE } from '../../src/formats/rpm/tags.ts';
import { livePatch } from './elf.ts';
import { forgeRpm } from './forge-rpm.ts';

export interface LargePackage {
  /** File name of the module. */
  readonly file: string;
  readonly data: Buffer;
  /** The package, unsigned. */
  readonly bytes: Buffer;
}

/** The level 1-1 for a kernel whose module carries `ballast`, which is packed without becoming smaller. */
export function largePackage(kernel: string, ballast: Buffer): LargePackage {
  const short = kernel.replace(/\.el\d.*$/, '').replaceAll('.', '_');
  const file = `kpatch-${short}-1-1.ko`;
  const name = file.slice(0, -'.ko'.length).replaceAll('-', '_');
  const data = livePatch({ name, release: kernel, more: { '.debug_str': ballast } });
  const bytes = forgeRpm({
    files: [{ path: `/usr/lib/kpatch/${kernel}/${file}`, data }],
    compress: (open) => gzipSync(open, { level: 0 }),
    tags: [
      { tag: TAG.name, value: `kpatch-patch-${short}` },
      { tag: TAG.version, value: '1' },
      { tag: TAG.release, value: '1.el9' },
      { tag: TAG.requireName, value: ['kernel-uname-r'] },
      { tag: TAG.requireVersion, value: [kernel] },
      { tag: TAG.requireFlags, value: [8], type: TYPE.int32 },
    ],
  });
  return { file, data, bytes };
}
