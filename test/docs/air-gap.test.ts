// docs/air-gap.md, followed from zero: every command of it, in its order, on two roots.
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectedRoot, isolatedRoot, runOn } from '../support/bundle.ts';
import { KERNELS, type ScratchRoot } from '../support/fixtures.ts';
import { Gpg } from '../support/gpg.ts';
import { pageLines, shellWords } from '../support/page-commands.ts';
import { needs } from '../support/programs.ts';

needs('gpg', 'tar')('docs/air-gap.md', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-page-'));
  const gpg = new Gpg();
  let connected: ScratchRoot;
  let isolated: ScratchRoot;
  beforeAll(() => {
    gpg.key('Ops <ops@example.com>', 'rsa2048');
    connected = connectedRoot();
    isolated = isolatedRoot();
  });
  afterAll(() => {
    for (const root of [connected, isolated]) root.remove();
    gpg.close();
    rmSync(directory, { recursive: true });
  });

  test('every command does what the page says', async () => {
    const env = { TERM: 'dumb', LANG: 'C.UTF-8', GNUPGHOME: gpg.home };
    const srv = path.join(directory, 'srv');
    const ran: string[] = [];
    let file = '';
    for (const { section, line } of pageLines('air-gap.md')) {
      const here = line
        .replaceAll('/srv/', `${srv}/`)
        .replaceAll('FINGERPRINT', '67C180CD3E68AF9AA4B7DC2C0F6AB0C2B5D41D1B');
      if (line.startsWith('uname')) continue;
      if (line.startsWith('kpatch-pm ')) {
        const root = section.startsWith('1.') ? connected : isolated;
        const { status, out, err } = await runOn(root, ['-y', ...shellWords(here).slice(1)], { directory, env });
        expect([line, status, out + err]).toEqual([line, 0, expect.any(String)]);
        ran.push(shellWords(line).slice(1, 3).join(' '));
      } else if (/^(?:gpg|mkdir|tar) /.test(line)) {
        execFileSync('/bin/sh', ['-c', here], { cwd: directory, env: { ...env, PATH: process.env.PATH } });
      } else if (line.startsWith('# /etc/')) {
        file = line.slice(3);
      } else {
        appendFileSync(isolated.at(file), `${here}\n`);
      }
    }
    expect(ran).toEqual(['bundle create', 'bundle verify', 'bundle verify', 'bundle install', 'bundle install']);
    expect(existsSync(isolated.at(`var/lib/kpatch/${KERNELS.K1}/kpatch-5_14_0-427_13_1-1-2.ko`))).toBe(true);
    // Section 5: from the unpacked form, with the repository file of the page.
    const status = await runOn(isolated, ['--refresh', 'status', '--json'], { directory });
    expect(JSON.parse(status.out).metadata).toEqual([expect.objectContaining({ repo: 'patches', problem: null })]);
    expect((await runOn(isolated, ['updateinfo', 'list', '--all'])).out).toMatch(/kpatch-patch-5_14_0-427_13_1-1-2/);
  });
});
