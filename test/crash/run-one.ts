// One changing run in a process of its own: run-one ROOT KIND [--without-flock]. Says "go" when the work begins, "changed"
// when a step changed something, and ends with "done" or "locked".
import { writeSync } from 'node:fs';
import { KpmError } from '../../src/errors.ts';
import { realRun } from '../../src/host/run.ts';
import { changingRun, type Kind, machineOver, WORK } from '../support/transactions.ts';

const [root = '', kind = '', option] = process.argv.slice(2);
const withoutFlock = { ...realRun, which: (name: string) => (name === 'flock' ? null : realRun.which(name)) };
const machine = machineOver(root, null, { run: option === '--without-flock' ? withoutFlock : realRun });
const work = await WORK[kind as Kind](machine);
writeSync(1, 'go\n');
try {
  const result = await changingRun(machine, work);
  if (result?.results.some(({ step, outcome }) => outcome === 'done' && step.do !== 'record'))
    writeSync(1, 'changed\n');
  writeSync(1, 'done\n');
} catch (error) {
  if (!(error instanceof KpmError) || error.code !== 'locked') throw error;
  writeSync(1, 'locked\n');
}
