// The download phase: everything is fetched before a key is asked about; keepcache says whether it stays in the cache.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { main } from '../../../src/cli/main.ts';
import { startCdn } from '../../support/cdn.ts';
import { FIXTURES, KERNELS, repoText, scratchRoot } from '../../support/fixtures.ts';
import { directoryForAll, serverForAll } from '../../support/hooks.ts';
import { listener, machineOver } from '../../support/machine.ts';
import { livePatch, makeRepo, serveRepo } from '../../support/repodata.ts';
import { surroundings } from '../../support/surroundings.ts';
import { treeOf } from '../../support/tree.ts';
import { verb } from '../../support/verb-runs.ts';

const host = directoryForAll();
const server = serverForAll();

test('a key that is declined is asked about once, whatever needs it', async () => {
  const root = scratchRoot({ url: server.url, kernels: [KERNELS.K1, KERNELS.K2], rpmdb: false });
  const asked: string[] = [];
  const ui = {
    ...listener(),
    confirm: async (question: string) => {
      asked.push(question);
      return false;
    },
  };
  try {
    const run = verb('install', [], { assumeYes: false })(machineOver(root.path), ui);
    await expect(run).rejects.toMatchObject({ code: 'aborted' });
    expect(asked).toHaveLength(1);
    expect(ui.warnings.filter((text) => text.startsWith('Importing key'))).toHaveLength(1);
  } finally {
    root.remove();
  }
});

test('after a no to one key nobody is asked about the next, and none is imported', async () => {
  const cdn = await startCdn();
  const older = '5.14.0-362.24.1.el9_3.x86_64';
  const of = (file: string) => readFileSync(path.join(FIXTURES, file));
  const one = livePatch(KERNELS.K1, '1-1', { bytes: of('matrix/gzip-other.rpm'), release: '1.el9_4' });
  const bytes = of('el9/Packages/kpatch-patch-5_14_0-362_24_1-1-2.el9_3.x86_64.rpm');
  const other = livePatch(older, '1-2', { bytes, release: '2.el9_3' });
  serveRepo(cdn, '/a', makeRepo([one]));
  serveRepo(cdn, '/b', makeRepo([other]));
  const repo = (id: string, key: string) =>
    `[${id}]\nname=${id}\nbaseurl=${cdn.url}/${id}/\ngpgcheck=1\ngpgkey=$fixture_url/keys/${key}\n`;
  const root = scratchRoot({
    url: server.url,
    kernels: [KERNELS.K1, older],
    rpmdb: false,
    repos: repo('a', 'RPM-GPG-KEY-other-vendor') + repo('b', 'RPM-GPG-KEY-fixtures'),
  });
  const asked: string[] = [];
  const ui = { ...listener(), confirm: async (question: string) => asked.push(question) > 1 };
  try {
    const run = verb('install', [], { assumeYes: false })(machineOver(root.path), ui);
    await expect(run).rejects.toMatchObject({ code: 'aborted' });
    expect(asked).toHaveLength(1);
    expect(treeOf(root.at('var/lib/kpatch-pm')).filter((line) => line.includes('.asc'))).toEqual([]);
  } finally {
    root.remove();
    await cdn.close();
  }
});

describe('auto', () => {
  test.each([
    ['keepcache=0', 0],
    ['keepcache=1', 2],
  ])('with %s leaves %i packages in the cache', async (option, left) => {
    const root = scratchRoot({
      url: server.url,
      kernels: [KERNELS.K1, KERNELS.K2],
      rpmdb: false,
      repos: repoText('el9', `${option}\n`),
    });
    const seen = server.requests.length;
    try {
      const status = await main(['--installroot', root.path, 'auto', '-y'], surroundings({ hostPath: host.path }));
      expect(status).toBe(0);
      expect(treeOf(root.at('var/cache')).filter((line) => line.includes('.rpm '))).toHaveLength(left);
      const asked = server.requests.slice(seen).filter((line) => /Packages|keys/.test(line));
      expect(asked.map((line) => (line.includes('Packages') ? 'package' : 'key'))).toEqual([
        'package',
        'package',
        'key',
      ]);
    } finally {
      root.remove();
    }
  });

  test('fetches each package once where there is no cache', async () => {
    const root = scratchRoot({ url: server.url, kernels: [KERNELS.K1, KERNELS.K2], rpmdb: false });
    // No directory can be made in its place.
    mkdirSync(root.at('var/cache'), { recursive: true });
    writeFileSync(root.at('var/cache/kpatch-pm'), '');
    const seen = server.requests.length;
    try {
      const status = await main(['--installroot', root.path, 'auto', '-y'], surroundings({ hostPath: host.path }));
      expect(status).toBe(0);
      const asked = server.requests.slice(seen).filter((line) => line.includes('Packages'));
      expect(asked).toHaveLength(2);
      expect(new Set(asked).size).toBe(2);
    } finally {
      root.remove();
    }
  });
});
