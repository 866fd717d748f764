// docs/own-patches.md, followed from zero: every command of it, in its order; kpatch-build, which patches a kernel's source, is
// played by the kernel's own build system.
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { runOn } from '../support/bundle.ts';
import { KERNELS, type ScratchRoot, scratchRoot } from '../support/fixtures.ts';
import { Gpg } from '../support/gpg.ts';
import { pageLines, shellWords } from '../support/page-commands.ts';
import { needs, needsThat } from '../support/programs.ts';
import { headers, realModules } from '../support/real-module.ts';
import { surroundings } from '../support/surroundings.ts';

const programs = needs('rpmbuild', 'rpmsign', 'createrepo_c', 'modifyrepo_c', 'gpg', 'openssl');
programs('with the tools', () => {
  needsThat(headers() !== null, 'linux-headers-amd64')('docs/own-patches.md', () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-page-'));
    const gpg = new Gpg();
    const env = { TERM: 'dumb', LANG: 'C.UTF-8', GNUPGHOME: gpg.home };
    let root: ScratchRoot;
    beforeAll(() => {
      root = scratchRoot({ repos: '', rpmdb: false, kernels: [KERNELS.K1] });
    });
    afterAll(() => {
      root.remove();
      gpg.close();
      rmSync(directory, { recursive: true });
    });

    async function typed(words: readonly string[]): Promise<string> {
      const around = surroundings({ hostPath: '/', directory, env, now: '2026-11-20T10:00:00Z' });
      const status = await main(words, around);
      expect([words, status, around.stderr.text]).toEqual([words, 0, around.stderr.text]);
      return around.stdout.text;
    }

    test('every command does what the page says', async () => {
      const srv = path.join(directory, 'srv');
      let keyFile = '';
      let fingerprint = '';
      let published = 0;
      for (const { section, line } of pageLines('own-patches.md')) {
        const here = line
          .replaceAll('/srv/live', `${srv}/live`)
          .replace('RPM-GPG-KEY-0123456789ABCDEF', keyFile)
          .replace('FINGERPRINT', fingerprint);
        if (line.startsWith('kpatch-pm publish ')) {
          const out = await typed(shellWords(here).slice(1));
          keyFile = /RPM-GPG-KEY-[0-9A-F]{16}/.exec(out)?.[0] ?? '';
          fingerprint = /Signed by +: ([0-9A-F]{40})/.exec(out)?.[1] ?? '';
          published++;
        } else if (line.startsWith('kpatch-pm ')) {
          const { status, err } = await runOn(root, ['-y', ...shellWords(here).slice(1)]);
          expect([line, status, err]).toEqual([line, 0, err]);
        } else if (line.startsWith('gpg ')) {
          gpg.run(shellWords(here).slice(1));
        } else if (line.startsWith('openssl ')) {
          execFileSync('openssl', shellWords(here).slice(1), { cwd: directory, stdio: 'ignore' });
        } else if (line.startsWith('kpatch-build ')) {
          const names = ['1-1', '1-2'].map((level) => `kpatch-5_14_0-427_13_1-${level}`);
          expect(names).toContain(shellWords(line)[2]);
          for (const [name, bytes] of realModules(names, KERNELS.K1))
            writeFileSync(path.join(directory, `${name}.ko`), bytes);
        } else if (section.startsWith('5.')) {
          appendFileSync(root.at('etc/yum.repos.d/own.repo'), `${here}\n`);
        } else {
          // The page installs what this machine has.
          expect(line).toMatch(/^dnf install /);
        }
      }
      expect(published).toBe(3);
      const { out } = await runOn(root, ['info', '--installed']);
      expect(out).toMatch(/Release {6}: 2\.el9_4/);
      expect(out).toMatch(/Support {6}: your own, not the vendor's/);
    });
  });
});
