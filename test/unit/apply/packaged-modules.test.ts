import { describe, expect, test } from '@jest/globals';
import { packagedModules, readLivePatch } from '../../../src/apply/extract.ts';
import type { KpmError } from '../../../src/errors.ts';
import { isDirectory } from '../../../src/formats/rpm/files.ts';
import { realRun } from '../../../src/host/run.ts';
import { K1, verifiedPackage } from '../../support/packages.ts';

describe('the modules of a package', () => {
  test('a package that has the directories of a live patch and no module is refused', async () => {
    const { pkg } = verifiedPackage('el9/Packages/kpatch-patch-5_14_0-427_13_1-1-1.el9_4.x86_64.rpm');
    const entries = await readLivePatch(pkg, realRun.filter);
    expect(packagedModules(pkg, entries, K1)).toHaveLength(1);
    let refused: KpmError | null = null;
    try {
      packagedModules(
        pkg,
        entries.filter(({ mode }) => isDirectory(mode)),
        K1,
      );
    } catch (error) {
      refused = error as KpmError;
    }
    expect(refused).toMatchObject({ code: 'module-missing', message: expect.stringContaining('but no module') });
  });
});
