// The collection reads fingerprints out of key files by itself, before anything is imported: it must read what we read.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { parseKeys } from '../../src/formats/openpgp/index.ts';
import { corpusDir } from '../support/corpus.ts';
import { FIXTURES } from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';
import { top } from '../support/top.ts';

const READER = `
import json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import openpgp
answers = []
for name in sys.argv[2:]:
    try:
        answers.append(openpgp.fingerprints(open(name, "rb").read()))
    except (ValueError, IndexError) as error:
        answers.append("refused")
print(json.dumps(answers))
`;

needs('python3')('fingerprints of key files', () => {
  const read = (files: readonly string[]): unknown[] => {
    const place = path.join(top, 'packaging/ansible/plugins/module_utils');
    const { status, stdout, stderr } = spawnSync('python3', ['-c', READER, place, ...files], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return JSON.parse(stdout) as unknown[];
  };
  const ours = (file: string): string[] | null => {
    try {
      return parseKeys(readFileSync(file)).map(({ fingerprint }) => fingerprint);
    } catch {
      return null;
    }
  };

  test('are those that kpatch-pm reads', () => {
    const corpus = corpusDir();
    const places = [path.join(FIXTURES, 'keys'), ...(corpus === null ? [] : [path.join(corpus, 'keys')])];
    const files = places.flatMap((place) => readdirSync(place).map((name) => path.join(place, name)));
    const known = files.flatMap((file) => {
      const keys = ours(file);
      return keys === null || keys.length === 0 ? [] : [{ file, keys }];
    });
    expect(known.length).toBeGreaterThan(4);
    const found = read(known.map(({ file }) => file));
    expect(known.map(({ file }, n) => [path.basename(file), found[n]])).toEqual(
      known.map(({ file, keys }) => [path.basename(file), keys]),
    );
  });

  test('damaged files are refused, or hold no key: never another one', () => {
    const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-keys-'));
    try {
      const text = readFileSync(path.join(FIXTURES, 'keys/RPM-GPG-KEY-fixtures'), 'latin1');
      const damaged = [
        '',
        'no key',
        '\u0099',
        text.slice(0, 400),
        text.replace('BEGIN', 'BEGUN'),
        '\u00c6\u00ff',
        '\u00c6\u00e0',
      ];
      const files = damaged.map((content, n) => {
        const file = path.join(scratch, String(n));
        writeFileSync(file, content, 'latin1');
        return file;
      });
      for (const answer of read(files))
        expect(['refused', '[]']).toContain(answer === 'refused' ? answer : JSON.stringify(answer));
    } finally {
      rmSync(scratch, { recursive: true });
    }
  });
});
