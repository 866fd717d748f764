// Packages that were signed by a trusted key and still are not what they should be: each is refused, for its own reason.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { extractModules } from '../../src/apply/extract.ts';
import { verifySigned } from '../../src/apply/verify.ts';
import type { KernelRelease } from '../../src/domain/kernel.ts';
import { KpmError } from '../../src/errors.ts';
import { parseKeys } from '../../src/formats/openpgp/index.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { realRun } from '../../src/host/run.ts';
import { FIXTURES, hostileCases, KERNELS } from '../support/fixtures.ts';
import { K1, K2, verifiedPackage } from '../support/packages.ts';
import { needs } from '../support/programs.ts';

const keys = parseKeys(readFileSync(path.join(FIXTURES, 'keys', 'RPM-GPG-KEY-fixtures')));

/** The level 1-4 a hostile repository offers for K1. */
function offered(id: string): Buffer {
  const directory = path.join(FIXTURES, 'hostile', id);
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const file = files.find((name) => /kpatch-patch-5_14_0-427_13_1-1-4.*\.rpm$/.test(name));
  if (file === undefined) throw new Error(`${id} offers no 1-4`);
  return readFileSync(path.join(directory, file));
}

async function outcome(bytes: Buffer, kernel: KernelRelease = K1): Promise<{ code: string; text: string }> {
  try {
    const signed = verifySigned(parseRpm(bytes), { keys, allowUnsigned: false, now: new Date('2026-01-01') });
    const { modules } = await extractModules(signed, kernel, realRun.filter);
    return { code: 'ok', text: modules.map(({ module }) => module).join(' ') };
  } catch (error) {
    if (error instanceof KpmError) return { code: error.code, text: error.message };
    throw error;
  }
}

/** The exact refusal of packages whose archive is sound and whose content is not. */
const CONTENT: Readonly<Record<string, [string, RegExp]>> = {
  'module-is-symlink': ['package-file-refused', /is a link to/],
  'module-setuid': ['package-file-refused', /setuid/],
  'module-fifo': ['package-file-refused', /neither a file nor a directory/],
  'module-hardlink': ['module-name', /calls itself/],
  'module-elsewhere': ['module-misplaced', /lies outside/],
  'directory-of-other-kernel': ['module-misplaced', /another kernel/],
  'extra-file': ['package-file-refused', /lies outside/],
  'extra-hidden': ['package-file-refused', /not named as a module/],
  'second-module': ['module-wrong-kernel', /1-1-5.ko was built for/],
  'vermagic-other': ['module-wrong-kernel', /was built for/],
  'vermagic-prefix': ['module-wrong-kernel', /was built for/],
  'not-livepatch': ['module-not-livepatch', /livepatch=Y/],
  'module-truncated': ['not-a-module', /outside the file/],
  'module-empty': ['not-a-module', /empty/],
  'module-text': ['not-a-module', /does not start as an ELF/],
  'machine-ppc64le': ['module-wrong-arch', /ppc64le/],
  'machine-aarch64': ['module-wrong-arch', /aarch64/],
};

describe('signed packages with the wrong content', () => {
  test.each(Object.entries(CONTENT))('%s', async (id, [code, why]) => {
    const seen = await outcome(offered(id));
    expect(seen).toEqual({ code, text: expect.stringMatching(why) });
    expect(hostileCases().find((one) => one.id === id)?.expected).toContain(code);
  });
});

needs('xz')('every hostile package that reaches extraction is refused', () => {
  const cases = hostileCases().filter(({ stage, id }) => stage === 'extract' && !(id in CONTENT));

  test.each(cases.map(({ id, expected }) => [id, expected] as const))('%s', async (id, expected) => {
    expect(expected).toContain((await outcome(offered(id))).code);
  });

  test('there are some', () => expect(cases.length).toBeGreaterThan(15));
});

test('scriptlets of a package are not a refusal: they never run', async () => {
  expect((await outcome(offered('scriptlets'))).code).toBe('ok');
});

describe('the kernel a package claims', () => {
  test('must be the one it was chosen for', async () => {
    const seen = await outcome(offered('scriptlets'), KERNELS.K3 as KernelRelease);
    expect(seen).toEqual({ code: 'module-wrong-kernel', text: expect.stringContaining(KERNELS.K3) });
  });

  test('also for an empty package', async () => {
    const file = 'el9/Packages/kpatch-patch-5_14_0-427_16_1-0-0.el9_4.x86_64.rpm';
    await expect(extractModules(verifiedPackage(file), K1, realRun.filter)).rejects.toMatchObject({
      code: 'module-wrong-kernel',
    });
    expect((await extractModules(verifiedPackage(file), K2, realRun.filter)).modules).toEqual([]);
  });
});

test('a sound package gives its module, as the header has it', async () => {
  const verified = verifiedPackage('el9/Packages/kpatch-patch-5_14_0-427_13_1-1-2.el9_4.x86_64.rpm');
  const [module, ...more] = (await extractModules(verified, K1, realRun.filter)).modules;
  expect(more).toEqual([]);
  expect(module).toMatchObject({
    file: 'kpatch-5_14_0-427_13_1-1-2.ko',
    module: 'kpatch_5_14_0_427_13_1_1_2',
    mode: 0o755,
    link: null,
    vermagic: expect.stringContaining(`${K1} `),
  });
  expect(module?.bytes.length).toBe(module?.size);
});
