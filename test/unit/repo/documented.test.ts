// docs/repositories.md says of every option what it means here.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { OPTIONS, type OptionRow } from '../../../src/observe/config/options.ts';
import { top } from '../../support/top.ts';

test('every option has its row, as the table has it', () => {
  const page = readFileSync(path.join(top, 'docs/repositories.md'), 'utf8').split('\n');
  const rows = OPTIONS.map((row: OptionRow) => {
    const value = row.default === null ? '' : `\`${row.default}\``;
    return `| \`${row.key}\` | ${row.scope} | ${value} | ${row.meaning} |`;
  });
  expect(page.filter((line) => rows.includes(line))).toEqual(rows);
});
