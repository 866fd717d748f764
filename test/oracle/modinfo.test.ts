// Our reading of module files against the distribution's modinfo: modules of the fixtures, and the kernel's own where
// this machine has some.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { moduleFacts } from '../../src/formats/elf/module.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { readPayload } from '../../src/formats/rpm/payload.ts';
import { realRun } from '../../src/host/run.ts';
import { FIXTURES } from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';

let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-modinfo-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What modinfo says, in our terms. */
function modinfo(file: string): Record<string, unknown> {
  const field = (name: string) => execFileSync('modinfo', ['-F', name, file], { encoding: 'utf8' }).trim();
  return {
    name: field('name'),
    vermagic: field('vermagic'),
    livepatch: field('livepatch') === 'Y',
    srcversion: field('srcversion') || null,
    depends: field('depends')
      .split(',')
      .filter((one) => one !== ''),
    signer: field('signer') || null,
    keyid: field('sig_key').replaceAll(':', '') || null,
    hash: field('sig_hashalgo') || null,
  };
}

function ours(bytes: Buffer): Record<string, unknown> {
  const { name, vermagic, livepatch, srcversion, depends, signature } = moduleFacts(bytes);
  const { signer = null, keyid = null, hash = null } = signature ?? {};
  return { name, vermagic: vermagic.trim(), livepatch, srcversion, depends, signer, keyid, hash };
}

const packages = ['el8', 'el9', 'el10', 'el9-ppc64le'].flatMap((repo) =>
  readdirSync(path.join(FIXTURES, repo, 'Packages'))
    .filter((name) => /^kpatch-patch-[\d_]+-[\d_]+-\d.*\.rpm$/.test(name))
    .map((name) => `${repo}/Packages/${name}`),
);

needs('modinfo', 'xz')('the modules of the fixtures', () => {
  test.each(packages)('%s', async (file) => {
    const entries = await readPayload(parseRpm(readFileSync(path.join(FIXTURES, file))), {}, realRun.filter);
    for (const { path: name, content } of entries.filter((entry) => entry.path.endsWith('.ko'))) {
      const place = path.join(scratch, path.basename(name));
      writeFileSync(place, content ?? '');
      expect(ours(content ?? Buffer.alloc(0))).toEqual(modinfo(place));
    }
  });

  test('there are some, and one is signed', async () => {
    expect(packages.length).toBeGreaterThan(8);
    const file = packages.find((name) => name.includes('427_13_1-1-2')) ?? '';
    const entries = await readPayload(parseRpm(readFileSync(path.join(FIXTURES, file))), {}, realRun.filter);
    const module = entries.find((entry) => entry.path.endsWith('.ko'))?.content ?? Buffer.alloc(0);
    expect(moduleFacts(module)).toMatchObject({
      signature: { signer: 'TEST KEY - never trust', hash: 'sha256' },
      functions: [
        { object: 'vmlinux', name: 'example_ioctl' },
        { object: 'nf_tables', name: 'nft_example_walk' },
      ],
    });
  });
});
