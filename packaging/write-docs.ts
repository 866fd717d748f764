// `npm run docs`: writes the pages that are made from tables in the code. test/docs.test.ts fails when one is out of date.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { pages } from '../test/support/pages.ts';
import { top } from '../test/support/top.ts';

for (const [name, text] of Object.entries(pages())) writeFileSync(path.join(top, name), text);
