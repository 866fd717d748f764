// Consent to keys of metadata: one question at a time, and none where nothing may change.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parseArguments } from '../../../src/cli/arguments.ts';
import { requestFor } from '../../../src/cli/context.ts';
import { parseKeys } from '../../../src/formats/openpgp/index.ts';
import type { Ui } from '../../../src/host/machine.ts';
import type { OfferedMetadataKey } from '../../../src/observe/repo/signed.ts';
import { metadataTrust } from '../../../src/pipeline/metadata-trust.ts';
import { listener, machineOver } from '../../support/machine.ts';
import { top } from '../../support/top.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'kpm-consent-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const request = (...args: string[]) => {
  const { verb, options, words } = parseArguments(args);
  return requestFor(verb ?? 'status', options, words, () => '/');
};

function offer(name: string): OfferedMetadataKey {
  const [key] = parseKeys(readFileSync(path.join(top, 'repo-fixtures/keys', `${name}.pub.asc`)));
  if (!key) throw new Error(name);
  return { key, source: `https://example.com/${name}` };
}

test('two repositories looked at side by side ask one after the other', async () => {
  let open = 0;
  let most = 0;
  const ui: Ui = {
    ...listener(),
    confirm: async () => {
      open++;
      most = Math.max(most, open);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      return true;
    },
  };
  const trust = metadataTrust(machineOver(dir), request('makecache'), ui);
  const answers = ['a', 'b', 'c'].map((repo, n) => trust.accept(repo, offer(n === 1 ? 'ed25519' : 'release')));
  expect([await Promise.all(answers), most]).toEqual([[true, true, true], 1]);
  expect(['a', 'b', 'c', 'd'].map((repo) => trust.keys(repo)?.length)).toEqual([1, 1, 1, 0]);
});

test('one answered no does not answer the next', async () => {
  const answers = [false, true];
  const ui: Ui = { ...listener(), confirm: async () => answers.shift() ?? false };
  const trust = metadataTrust(machineOver(dir), request('makecache'), ui);
  const [first, second] = await Promise.allSettled([
    trust.accept('a', offer('release')),
    trust.accept('b', offer('release')),
  ]);
  expect(first).toMatchObject({ status: 'rejected', reason: { code: 'aborted' } });
  expect(second).toEqual({ status: 'fulfilled', value: true });
});

test.each([['status'], ['list'], ['check-update'], ['install', '--dry-run', '-y']])(
  '%s: nobody is asked, nothing is accepted',
  async (...args) => {
    const ui = listener();
    const trust = metadataTrust(machineOver(dir), request(...args), ui);
    expect([await trust.accept('a', offer('release')), ui.warnings, trust.keys('a')]).toEqual([false, [], []]);
  },
);
