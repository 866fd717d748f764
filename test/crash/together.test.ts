// Many processes at once over one root: every one ends, one installs, the others are told who holds the lock.
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readHistory } from '../../src/state/history.ts';
import { readReceipts } from '../../src/state/receipts.ts';
import { type ScratchRoot, scratchRoot } from '../support/fixtures.ts';
import { machineOver } from '../support/machine.ts';
import { K1 } from '../support/packages.ts';
import { needs } from '../support/programs.ts';
import { type RunOneProgram, runOneProgram } from '../support/run-one-program.ts';
import { treeOf } from '../support/tree.ts';

const MANY = 16;
let program: RunOneProgram;
let root: ScratchRoot;
beforeAll(async () => {
  program = await runOneProgram();
  root = scratchRoot({ rpmdb: false });
});
afterAll(() => {
  program.remove();
  root.remove();
});

function run(...more: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program.file, root.path, 'install', ...more], {
      cwd: program.directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
    child.on('error', reject);
    child.on('close', () => resolve(text));
  });
}

needs('flock').each([
  ['by flock', []],
  ['by owner files', ['--without-flock']],
])('%s', (_, more) => {
  test(`${MANY} at once`, async () => {
    const before = readHistory(machineOver(root.path).root, process.getuid?.() ?? 0).length;
    const answers = await Promise.all(Array.from({ length: MANY }, () => run(...more)));
    const ended = answers.map((text) => text.trim().split('\n').at(-1));
    expect(ended.filter((word) => word === 'done' || word === 'locked')).toHaveLength(MANY);
    expect(ended.filter((word) => word === 'done').length).toBeGreaterThan(0);
    // Whoever came later found everything in place: nothing was written twice.
    expect(answers.filter((text) => text.includes('changed'))).toHaveLength(more.length === 0 ? 1 : 0);
    const machine = machineOver(root.path);
    expect(machine.root.list(`var/lib/kpatch/${K1}`)).toEqual(['kpatch-5_14_0-427_13_1-1-1.ko']);
    expect(readReceipts(machine.root, machine.uid)).toHaveLength(1);
    // Every run that went through is in the history, under a number of its own.
    const records = readHistory(machine.root, machine.uid);
    expect(records.length - before).toBe(ended.filter((word) => word === 'done').length);
    expect(records.map(({ id }) => id)).toEqual(records.map((_one, n) => records.length - n));
    expect(treeOf(root.path).filter((line) => /\.tmp|staging|journal/.test(line))).toEqual([]);
  });
});
