// status --watch: one line for each change while a patch is in transition, then the end.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { watchTransition } from '../../../src/cli/watch.ts';
import { Root } from '../../../src/host/root.ts';
import { removeTrees, tree } from '../../support/config-root.ts';
import { world } from '../../support/world.ts';

afterAll(removeTrees);
const PATCH = 'sys/kernel/livepatch/kpatch_x';
const task = (state: string, comm: string) => ({
  patch_state: `${state}\n`,
  comm: `${comm}\n`,
  stack: '[<0>] do_wait+0x1/0x2\n',
});

function machine() {
  const files: Record<string, string> = { [`${PATCH}/enabled`]: '1\n', [`${PATCH}/transition`]: '1\n' };
  for (const [pid, one] of [
    [7, task('0', 'bad\u001b[2J')],
    [8, task('1', 'done')],
  ] as const) {
    for (const [name, text] of Object.entries(one)) files[`proc/${pid}/task/${pid}/${name}`] = text;
  }
  const top = tree(files);
  return { top, machine: { host: new Root(top), now: () => new Date('2026-01-01T10:00:00Z') } };
}

test('who is in the way, said once; then nobody; then the end', async () => {
  const { top, machine: stage } = machine();
  const said: string[] = [];
  let round = 0;
  const wait = async () => {
    round++;
    if (round === 2) writeFileSync(path.join(top, 'proc/7/task/7/patch_state'), '1\n');
    if (round === 3) writeFileSync(path.join(top, `${PATCH}/transition`), '0\n');
  };
  const found = await watchTransition(stage, world(), { out: (text) => said.push(text) }, wait);
  expect(said.join('')).toBe(
    [
      '10:00:00 kpatch_x: patching, 1 task left: 7 bad\\u001b[2J at do_wait+0x1/0x2',
      '10:00:00 kpatch_x: patching, waiting for the kernel',
      '',
    ].join('\n'),
  );
  expect(found).toEqual([{ module: 'kpatch_x', enabled: true, transition: false }]);
  expect(round).toBe(3);
});

test('a patch that vanishes ends it too', async () => {
  const { top, machine: stage } = machine();
  const wait = async () => rmSync(path.join(top, PATCH), { recursive: true });
  expect(await watchTransition(stage, world(), { out: () => undefined }, wait)).toEqual([]);
});

test('a root that does not run is not watched', async () => {
  const { machine: stage } = machine();
  const never = () => Promise.reject(new Error('waited'));
  expect(await watchTransition(stage, world({ live: false }), { out: () => undefined }, never)).toEqual([]);
});
