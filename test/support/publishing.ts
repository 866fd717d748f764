// `publish` with the real tools, into repositories below a directory of the test's own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildModule, type ModuleSource } from '../../repo-fixtures/builder/module.ts';
import { main } from '../../src/cli/main.ts';
import type { KernelRelease } from '../../src/domain/kernel.ts';
import type { Run } from '../../src/host/run.ts';
import { KERNELS } from './fixtures.ts';
import { Gpg } from './gpg.ts';
import { surroundings } from './surroundings.ts';
import { top } from './top.ts';

export const PUBLISHERS = ['rpmbuild', 'rpmsign', 'createrepo_c', 'modifyrepo_c', 'gpg'] as const;
export const K1 = KERNELS.K1 as KernelRelease;
/** The name of K1's packages. */
export const NAME = 'kpatch-patch-5_14_0-427_13_1';
/** The fixtures' key that signs packages. */
export const RELEASE = '67C180CD3E68AF9AA4B7DC2C0F6AB0C2B5D41D1B';
export const KEYS = path.join(top, 'repo-fixtures/keys');

export class Publishing {
  readonly directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-publish-'));
  readonly gpg = new Gpg();
  readonly env = { TERM: 'dumb', LANG: 'C.UTF-8', GNUPGHOME: this.gpg.home };
  /** The directories that rpmbuild was told to work in. */
  readonly workshops: string[] = [];

  readonly at = (name: string): string => path.join(this.directory, name);

  /** Gives gpg the key by which packages are signed. */
  importKey(): void {
    this.gpg.run(['--import', path.join(KEYS, 'release.secret.asc')]);
  }

  /** A command line, typed in the directory. */
  async typed(...args: string[]): Promise<{ status: number; out: string; err: string }> {
    const { directory, env } = this;
    const around = surroundings({ hostPath: '/', directory, env, now: '2026-11-20T10:00:00Z' });
    const run: Run = {
      ...around.run,
      run: (program, words, options) => {
        for (const word of words) if (word.startsWith('_topdir ')) this.workshops.push(word.slice('_topdir '.length));
        return around.run.run(program, words, options);
      },
    };
    const status = await main(args, { ...around, run });
    return { status, out: around.stdout.text, err: around.stderr.text };
  }

  /** A fixture module as a file. */
  moduleFile(name: string, source: Partial<ModuleSource> = {}): string {
    const file = this.at(`${name}.ko`);
    writeFileSync(file, buildModule({ name, release: K1, ...source }, KEYS));
    return file;
  }

  close(): void {
    this.gpg.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** `publish ... --kernel K1 --sign RELEASE --repo REPO` */
export const command = (repo: string, ...more: string[]): string[] => [
  'publish',
  ...more,
  '--kernel',
  K1,
  '--sign',
  RELEASE,
  '--repo',
  repo,
];
