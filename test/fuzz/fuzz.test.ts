// 20,000 inputs of the fuzzer in every run; `npm run fuzz -- --inputs 2000000` is the long form (docs/fuzzing.md).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { top } from '../support/top.ts';

const INPUTS = 20_000;

test(`${INPUTS} inputs: no crash, no hang, little memory, no changed package accepted`, () => {
  const scratch = mkdtempSync(path.join(tmpdir(), 'kpm-fuzz-'));
  const record = path.join(scratch, 'record.json');
  const args = [
    'packaging/run-ts.mjs',
    'test/fuzz/campaign.ts',
    '--seed',
    '20240603',
    '--inputs',
    String(INPUTS),
    '--record',
    record,
  ];
  const ended = spawnSync(process.execPath, args, { cwd: top, encoding: 'utf8' });
  const said = `${ended.stdout}${ended.stderr}`;
  const found = JSON.parse(readFileSync(record, 'utf8'));
  rmSync(scratch, { recursive: true });
  expect([said, found.findings]).toEqual([said, []]);
  expect(ended.status).toBe(0);
  expect(found.inputs).toBe(INPUTS);
  expect(found.most_memory_mb).toBeLessThan(300);
  // Every reader is reached, and its refusals are not all there is: inputs get through to where mistakes would be made.
  const targets = Object.entries(found.targets as Record<string, { inputs: number; accepted: number }>);
  expect(targets.length).toBeGreaterThan(15);
  for (const [name, { inputs, accepted }] of targets) {
    expect([name, inputs > 50, accepted > 0]).toEqual([name, true, true]);
  }
}, 600_000);
