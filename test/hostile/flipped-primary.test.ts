// A byte flipped anywhere in a package list, as sent: never a shorter or other list, always a coded error.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { KpmError } from '../../src/errors.ts';
import { Root } from '../../src/host/root.ts';
import { realRun } from '../../src/host/run.ts';
import type { Net } from '../../src/net/access.ts';
import { openNet } from '../../src/net/net.ts';
import { refreshRepositories, type Snapshot } from '../../src/observe/repo/refresh.ts';
import { openCache } from '../../src/state/cache.ts';
import { type Cdn, startCdn } from '../support/cdn.ts';
import { needs } from '../support/programs.ts';
import { configOf, repoConfig } from '../support/repo-config.ts';
import { digestOf, kernelCore, livePatch, type MadeRepo, makeRepo, serveRepo } from '../support/repodata.ts';

const K1 = '5.14.0-427.13.1.el9_4.x86_64';
const packages = [livePatch(K1, '1-1'), livePatch(K1, '1-2'), kernelCore(K1), { name: 'bash' }];

let cdn: Cdn;
let net: Net;
let dir: string;
let n = 0;

beforeAll(async () => {
  cdn = await startCdn();
  net = openNet({ host: new Root('/'), env: {}, version: '1' });
  dir = mkdtempSync(path.join(tmpdir(), 'flipped-'));
});
afterAll(async () => {
  await net.close();
  await cdn.close();
  rmSync(dir, { recursive: true });
});

async function read(repo: MadeRepo): Promise<Snapshot> {
  const base = `/r${n++}`;
  serveRepo(cdn, base, repo);
  const cache = openCache({ root: new Root(dir), host: new Root('/'), uid: 0, env: {} });
  const config = configOf(repoConfig({ baseurl: [`${cdn.url}${base}`] }));
  const mode = { refresh: false, cacheOnly: false, now: new Date(0), pipe: realRun.filter, backoff: 1 };
  const [snapshot] = await refreshRepositories(config, cache, net, mode);
  return snapshot as Snapshot;
}

/** The repository with one byte of the list as sent changed; repomd.xml still promises the good one. */
function flipped(repo: MadeRepo, at: number): MadeRepo {
  const bad = Buffer.from(repo.packed);
  bad[at] = (bad[at] as number) ^ (1 << (at % 8));
  const files = new Map(repo.files);
  for (const [name, content] of repo.files) if (content === repo.packed) files.set(name, bad);
  return { ...repo, files };
}

/** Positions all over a file: every one of a short head and tail, and a regular choice between. */
function positions(length: number): number[] {
  const all = Array.from({ length }, (_, at) => at);
  return all.filter((at) => at < 24 || at >= length - 12 || at % 41 === 0);
}

async function everyFlipIsNoticed(repo: MadeRepo): Promise<void> {
  expect((await read(repo)).packages).toHaveLength(2);
  for (const at of positions(repo.packed.length)) {
    const error = await read(flipped(repo, at)).then(
      () => null,
      (reason: unknown) => reason,
    );
    if (!(error instanceof KpmError)) throw new Error(`byte ${at}: ${String(error)}`);
    expect(['metadata-mismatch', 'corrupt-stream', 'too-large', 'primary-malformed', 'metadata-unsupported']).toContain(
      error.code,
    );
  }
}

test('gzip', () => everyFlipIsNoticed(makeRepo(packages)));

test('uncompressed', () => everyFlipIsNoticed(makeRepo(packages, { compress: (open) => open, extension: '' })));

for (const [program, extension] of [
  ['zstd', '.zst'],
  ['xz', '.xz'],
  ['bzip2', '.bz2'],
] as const) {
  needs(program)(program, () => {
    const compress = (open: Buffer): Buffer => execFileSync(program, ['-c'], { input: open });
    test('every flip is noticed', () => everyFlipIsNoticed(makeRepo(packages, { compress, extension })));
  });
}

test('bytes behind the end of the compressed data do not pass either', async () => {
  const repo = makeRepo(packages);
  const longer = Buffer.concat([repo.packed, Buffer.from('more')]);
  const files = new Map([...repo.files].map(([name, content]) => [name, content === repo.packed ? longer : content]));
  const repomd = repo.repomd.toString().replace(/<size>\d+</, `<size>${longer.length}<`);
  files.set('repodata/repomd.xml', Buffer.from(repomd));
  await expect(read({ ...repo, files })).rejects.toMatchObject({ code: 'corrupt-stream' });
});

test('a right checksum as sent and a wrong one uncompressed', async () => {
  const repo = makeRepo(packages, {
    repomd: (xml) => xml.replace(/(<open-checksum[^>]*>)[0-9a-f]{64}/, `$1${digestOf(Buffer.from('x'))}`),
  });
  await expect(read(repo)).rejects.toMatchObject({
    code: 'metadata-mismatch',
    message: expect.stringContaining('uncompressed'),
  });
});
