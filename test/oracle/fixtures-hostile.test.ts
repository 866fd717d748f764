// The whole job against every hostile and broken repository, over HTTP: nothing is installed, nothing escapes, and the
// reason is said by its code.
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { FIXTURES, type HostileCase, hostileCases, KERNELS, repoText, scratchRoot } from '../support/fixtures.ts';
import { directoryForAll, serverForAll } from '../support/hooks.ts';
import { needs } from '../support/programs.ts';
import { surroundings } from '../support/surroundings.ts';

const server = serverForAll();
/** Plays the running system; nothing may appear in it either. */
const host = directoryForAll();

/** Files and links below a directory. */
function files(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => !lstatSync(path.join(directory, name)).isDirectory())
    .sort();
}

interface Coded {
  readonly code: string;
}

interface Entry {
  readonly kernel: string | null;
  readonly because: Coded;
  readonly rejected: readonly { readonly because: Coded }[];
  readonly error?: Coded | null;
}

interface Told {
  readonly actions: readonly Entry[];
  readonly skipped: readonly Entry[];
  readonly repositories: readonly { readonly problem: Coded | null }[];
  readonly error: Coded | null;
}

/** Every code that a run gives as a reason for what it did not do for K1. */
function codes(told: Told): string[] {
  const entries = [...told.actions, ...told.skipped].filter(({ kernel }) => kernel === KERNELS.K1);
  const found = [told.error?.code, ...told.repositories.map(({ problem }) => problem?.code)];
  for (const { because, rejected, error } of entries) {
    found.push(because.code, error?.code, ...rejected.map((one) => one.because.code));
  }
  return found.filter((code) => code !== undefined);
}

async function attack({ id, stage, expected }: HostileCase): Promise<void> {
  const signed = id.startsWith('asc-') ? 'repo_gpgcheck=1\n' : '';
  const root = scratchRoot({ url: server.url, repos: repoText(`hostile/${id}`, signed) });
  try {
    // A key already trusted: what is wrong is then never called an untrusted key.
    const key = path.join(FIXTURES, 'keys/RPM-GPG-KEY-fixtures');
    execFileSync('rpmkeys', ['--dbpath', root.at('var/lib/rpm'), '--import', key]);
    const before = files(root.path);
    const around = surroundings({ hostPath: host.path, now: '2024-06-10T00:00:00Z' });
    const status = await main(['--installroot', root.path, 'auto', '-y', '--json'], around);
    const told = JSON.parse(around.stdout.text) as Told;
    const installed = files(root.at('var/lib/kpatch'));
    if (stage === 'fit') {
      expect([status, installed]).toEqual([0, [`${KERNELS.K1}/kpatch-5_14_0-427_13_1-1-4.ko`]]);
    } else {
      expect(installed).toEqual([]);
      expect(files(root.at('usr'))).toEqual([]);
      expect([expected, codes(told)]).toEqual([
        expected,
        expect.arrayContaining([expect.stringMatching(new RegExp(`^(?:${expected.join('|')})$`))]),
      ]);
    }
    const ours = /^(?:var\/(?:lib\/(?:kpatch|kpatch-pm|rpm)|cache)|run|usr\/lib\/(?:kpatch|\.build-id))\//;
    expect(files(root.path).filter((name) => !before.includes(name) && !ours.test(name))).toEqual([]);
    expect(files(host.path)).toEqual([]);
    // What a repository says never reaches the terminal raw.
    const raw = [...around.stdout.text, ...around.stderr.text].filter((sign) =>
      /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(sign),
    );
    expect(raw).toEqual([]);
  } finally {
    root.remove();
  }
}

needs('rpmkeys')('with the release key in the rpm database', () => {
  test.each(hostileCases())('hostile/$id ($stage)', attack);
});
