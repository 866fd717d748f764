// One changing run in a process of its own, to be killed: run-one ROOT KIND. Says "go" when the work begins.
import { writeSync } from 'node:fs';
import { changingRun, type Kind, machineOver, WORK } from '../support/transactions.ts';

const [root = '', kind = ''] = process.argv.slice(2);
const machine = machineOver(root);
const work = await WORK[kind as Kind](machine);
writeSync(1, 'go\n');
await changingRun(machine, work);
writeSync(1, 'done\n');
