// Writes docs/command-line.md anew: node packaging/run-ts.mjs test/support/write-command-line.ts
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { commandLinePage } from './command-line-page.ts';
import { top } from './top.ts';

writeFileSync(path.join(top, 'docs', 'command-line.md'), commandLinePage());
