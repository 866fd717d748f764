import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { pages } from './support/pages.ts';
import { top } from './support/top.ts';

describe('pages made from the code are up to date (npm run docs)', () => {
  test.each(Object.entries(pages()))('%s', (name, text) => {
    expect(readFileSync(path.join(top, name), 'utf8')).toBe(text);
  });
});
