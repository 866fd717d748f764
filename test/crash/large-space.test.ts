// Plans too large for memory on machines that have little room on disk too: what waits for its installation in files takes
// none from what must be written, and what no cache could keep is not fetched twice.
import { randomBytes } from 'node:crypto';
import fs, { chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { type Cdn, startCdn } from '../support/cdn.ts';
import { repoText, type ScratchRoot, scratchRoot } from '../support/fixtures.ts';
import { largePackage } from '../support/large.ts';
import { Mounts, mayMount } from '../support/mounts.ts';
import { needsThat } from '../support/programs.ts';
import { livePatch, makeRepo, serveRepo } from '../support/repodata.ts';
import { surroundings } from '../support/surroundings.ts';

const MB = 1024 * 1024;
const KERNELS = Array.from({ length: 12 }, (_, n) => `5.14.0-${n + 1}.el9.x86_64`);
const mounts = new Mounts();
let cdn: Cdn;
let root: ScratchRoot;
beforeAll(async () => {
  cdn = await startCdn();
  const noise = randomBytes(4 * MB);
  const packages = KERNELS.map((kernel) => {
    const { data, bytes } = largePackage(kernel, noise);
    return livePatch(kernel, '1-1', { bytes, installed: data.length });
  });
  serveRepo(cdn, '/large', makeRepo(packages));
  // Metadata that calls each module 100 bytes long.
  serveRepo(cdn, '/small', makeRepo(packages.map((one) => ({ ...one, installed: 100 }))));
});
afterAll(() => cdn.close());
beforeEach(() => {
  root = scratchRoot({ url: cdn.url, kernels: KERNELS, rpmdb: false, repos: repoText('large', 'gpgcheck=0\n') });
});
afterEach(() => {
  mounts.unmount();
  root.remove();
});

async function auto(): Promise<{ readonly status: number; readonly err: string }> {
  const around = surroundings({ hostPath: '/', now: new Date().toISOString() });
  const status = await main(['--nogpgcheck', '-y', 'auto', '--installroot', root.path], around);
  return { status, err: around.stderr.text };
}
const installed = (): string[] =>
  KERNELS.filter(
    (kernel) =>
      existsSync(root.at(`var/lib/kpatch/${kernel}`)) && readdirSync(root.at(`var/lib/kpatch/${kernel}`)).length === 1,
  );

needsThat(mayMount(), 'the right to mount a tmpfs (root)')('twelve packages of 4 MB', () => {
  test.each(['large', 'small'])('fit where there is room for their modules and one package: %s', async (repo) => {
    mounts.tmpfs(root.at('var/lib'), 'size=62m,mode=755');
    mkdirSync(root.at('var/lib/kpatch'));
    writeFileSync(root.at('etc/yum.repos.d/fixtures.repo'), repoText(repo, 'gpgcheck=0\n'));
    const { status, err } = await auto();
    expect({ status, err: err.split('\n').filter((line) => line.startsWith('Error')) }).toEqual({ status: 0, err: [] });
    expect(installed()).toEqual(KERNELS);
  });

  test('wait in files where there is room for these too', async () => {
    mounts.tmpfs(root.at('var/lib'), 'size=80m,mode=755');
    mkdirSync(root.at('var/lib/kpatch'));
    const named = jest.spyOn(fs, 'linkSync');
    try {
      expect((await auto()).status).toBe(0);
      // Two fit beside the twelve modules and the largest package.
      expect(named).toHaveBeenCalledTimes(2);
    } finally {
      named.mockRestore();
    }
    expect(installed()).toEqual(KERNELS);
  });

  test.each([
    ['cannot be written', () => mounts.readOnly(root.at('var/cache/kpatch-pm'))],
    ["is somebody else's", () => chownSync(root.at('var/cache/kpatch-pm'), 12345, 12345)],
  ])('are fetched once where the cache %s', async (_, spoil) => {
    mkdirSync(root.at('var/cache/kpatch-pm'), { recursive: true });
    spoil();
    const before = cdn.seen.length;
    expect((await auto()).status).toBe(0);
    expect(installed()).toEqual(KERNELS);
    const asked = cdn.seen.slice(before).flatMap(({ path }) => (path.endsWith('.rpm') ? [path] : []));
    expect(asked).toHaveLength(KERNELS.length);
    expect(new Set(asked).size).toBe(KERNELS.length);
  });
});
