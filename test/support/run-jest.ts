// Runs jest under the Node that runs this file and writes "PASSED FAILED" to the file named by COUNTS, if there is one.
// A run in which no test was executed has failed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { top } from './top.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'kpatch-pm-jest-'));
const report = path.join(scratch, 'report.json');
const ended = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--json',
    `--outputFile=${report}`,
    // Jest would leave one processor idle; a machine of two then takes twice the time.
    '--maxWorkers=100%',
    ...process.argv.slice(2),
  ],
  { cwd: top, stdio: ['ignore', 'ignore', 'inherit'] },
);
const { numPassedTests = 0, numFailedTests = 0, numFailedTestSuites = 0 } = JSON.parse(readFileSync(report, 'utf8'));
rmSync(scratch, { recursive: true });
const failed = Math.max(numFailedTests, numFailedTestSuites, numPassedTests === 0 ? 1 : 0);
if (process.env.COUNTS) writeFileSync(process.env.COUNTS, `${numPassedTests} ${failed}\n`);
process.exitCode = ended.status === 0 && failed === 0 ? 0 : 1;
