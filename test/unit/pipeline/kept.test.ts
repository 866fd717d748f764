// A run that was killed between installing and loading leaves the superseded level aside; the next installation gives it
// up, so that a level the kernel refuses later never brings two levels back.
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { retiredDirectory } from '../../../src/apply/places.ts';
import { main } from '../../../src/cli/main.ts';
import { kernelRelease } from '../../../src/domain/kernel.ts';
import { KERNELS, scratchRoot } from '../../support/fixtures.ts';
import { directoryForAll, serverForAll } from '../../support/hooks.ts';
import { surroundings } from '../../support/surroundings.ts';

const host = directoryForAll();
const server = serverForAll();

test('what an earlier run kept is given up', async () => {
  const root = scratchRoot({ url: server.url, kernels: [KERNELS.K1], rpmdb: false });
  try {
    const kernel = kernelRelease(KERNELS.K1);
    if (kernel === null) throw new Error('no kernel release');
    const kept = path.join(root.at(retiredDirectory(kernel)), 'kpatch-5_14_0-427_13_1-1-1.ko');
    mkdirSync(path.dirname(kept), { recursive: true });
    writeFileSync(kept, 'an old level');
    for (let at = path.dirname(kept); at !== root.at('var/lib'); at = path.dirname(at)) {
      if (at.endsWith('kpatch-pm')) chmodSync(at, 0o700);
    }
    expect(await main(['--installroot', root.path, 'auto', '-y'], surroundings({ hostPath: host.path }))).toBe(0);
    expect(existsSync(kept)).toBe(false);
  } finally {
    root.remove();
  }
});
