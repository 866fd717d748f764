// Transitions that do not end at once, and the kpatch utility as loader.
import assert from 'node:assert/strict';
import path from 'node:path';
import { top } from '../../support/top.ts';
import type { Case, Check } from '../check.ts';
import type { Guest } from '../machine.ts';
import { programFiles } from '../repository.ts';
import { guestProgram, kernel, level, type Prepared, VERSION } from '../world.ts';
import { call } from './loader.ts';

const UTILITY = { path: '/usr/sbin/kpatch', version: '0.9.11' };

async function ready(check: Check, prepared: Prepared): Promise<Guest> {
  const utility = process.env.KPATCH_PM_KPATCH ?? path.join(top, 'test/vm/guest/kpatch.sh');
  const files = {
    ...programFiles(),
    '/payload/modules': prepared.modules,
    '/payload/load.mjs': await guestProgram('load'),
    '/payload/kpatch': utility,
    '/etc/kpatch-patience': { text: '5 10\n' },
  };
  const guest = await check.boot({ kernel: prepared.kernel, files });
  await guest.must(
    'install -m 755 /payload/kpatch /usr/sbin/kpatch 2>/dev/null || { cp /payload/kpatch /usr/sbin/kpatch; chmod 755 /usr/sbin/kpatch; }',
  );
  return guest;
}

const stalls: Case = {
  name: 'stalls',
  about: 'a stall that ends, one that does not, one that is left, one that the kernel resolves',
  gate: true,
  async run(check) {
    const prepared = kernel(0);
    const [one, stalling] = [level(prepared, '1-1'), level(prepared, '1-3')];
    const load = { file: `payload/modules/${stalling.file}`, module: stalling.module };
    const other = { file: `payload/modules/${one.file}`, module: one.module };
    const guest = await ready(check, prepared);
    const linger = (options: string): Promise<string> =>
      guest.must(`rmmod linger 2>/dev/null; insmod /payload/modules/linger.ko ${options} && sleep 1`);
    const unload = async (module: string): Promise<void> => {
      const reply = await call(guest, 'unload', { module });
      assert.equal(reply.error, undefined, JSON.stringify(reply));
    };

    await check.step('a stall of 8 s is waited for', async () => {
      await linger('seconds=8');
      const reply = await call(guest, 'load', load);
      assert.equal(reply.result?.proved, true, JSON.stringify(reply));
      assert.match(await guest.must(VERSION), /\[patched 1-3\]/);
      await unload(stalling.module);
    });
    await check.step(
      'a stall that does not end: the task is named with its stack, the patch is taken back',
      async () => {
        await linger('thread=1');
        const reply = await call(guest, 'load', { ...load, times: { signal: 3000, giveUp: 8000 } });
        assert.equal(reply.error?.code, 'transition-stalled', JSON.stringify(reply));
        assert.match(reply.error?.text ?? '', /linger \(\d+\)/);
        assert.match(reply.error?.text ?? '', /taken back/);
        const task = reply.error?.cause?.tasks?.find(({ comm }) => comm === 'linger');
        assert.ok(
          task?.stack.some((frame) => frame.startsWith('linger_wait+')),
          JSON.stringify(task),
        );
        assert.deepEqual(reply.loaded, []);
        assert.doesNotMatch(await guest.must(`${VERSION}; lsmod`), /patched|kpatch_/);
      },
    );
    await check.step('the same, left in transition: the next load finds the kernel busy', async () => {
      const left = await call(guest, 'load', { ...load, onStall: 'leave', times: { signal: 1000, giveUp: 4000 } });
      assert.equal(left.error?.code, 'transition-stalled', JSON.stringify(left));
      assert.deepEqual(left.loaded, [{ module: stalling.module, enabled: true, transition: true }]);
      const list = await guest.must('kpatch-pm module list');
      const sections = list.split('\n\n');
      assert.deepEqual(
        sections.map((section) => section.split('\n')[0]),
        ['Loaded patch modules:', 'Stalled processes:', 'Installed patch modules:'],
        list,
      );
      assert.match(sections[0] ?? '', new RegExp(`^${stalling.module} \\[enabling\\.\\.\\.\\]$`, 'm'));
      assert.match(sections[1] ?? '', /^\d+ linger\nstack:\nlinger_wait\+/m);
      const busy = await call(guest, 'load', { ...other, known: [], times: { busyPause: 500 } });
      // The stalled one is the higher level; a lower one is refused before it is tried.
      assert.equal(busy.error?.code, 'newer-active', JSON.stringify(busy));
      const ten = level(prepared, '1-10');
      const file = `payload/modules/${ten.file}`;
      const higher = await call(guest, 'load', { file, module: ten.module, times: { busyPause: 500 } });
      assert.equal(higher.error?.code, 'transition-busy', JSON.stringify(higher));
      assert.match(higher.error?.text ?? '', new RegExp(stalling.module));
    });
    await check.step('once the task has left, the load is seen to be complete', async () => {
      await guest.must('echo 1 > /sys/module/linger/parameters/leave');
      const reply = await call(guest, 'load', load);
      assert.equal(reply.result?.proved, true, JSON.stringify(reply));
      const list = await guest.must('kpatch-pm module list');
      assert.equal(list, `Loaded patch modules:\n${stalling.module} [enabled]\n\nInstalled patch modules:`);
      await unload(stalling.module);
    });
    await check.step('a program in the way is freed by the kernel after 15 s', async () => {
      await linger('thread=0');
      await guest.must('cat /proc/linger >/dev/null 2>&1 & sleep 1');
      const reply = await call(guest, 'load', load);
      assert.equal(reply.result?.proved, true, JSON.stringify(reply));
      assert.ok((reply.result?.seconds ?? 0) > 8, 'it was not in the way at all');
      await guest.must('echo 1 > /sys/module/linger/parameters/leave');
    });
  },
};

const utility: Case = {
  name: 'utility',
  about: 'the kpatch utility as loader gives the same results and the same errors',
  gate: true,
  async run(check) {
    const prepared = kernel(0);
    const [one, two, stalling] = [level(prepared, '1-1'), level(prepared, '1-2'), level(prepared, '1-3')];
    const guest = await ready(check, prepared);
    const request = { loader: 'auto', utility: UTILITY };
    const of = (name: string, module: string): object => ({ ...request, file: `payload/modules/${name}`, module });
    await check.step('loads and proves', async () => {
      const reply = await call(guest, 'load', of(one.file, one.module));
      assert.equal(reply.result?.loader, 'kpatch', JSON.stringify(reply));
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
    });
    await check.step('replaces', async () => {
      const reply = await call(guest, 'load', of(two.file, two.module));
      assert.deepEqual(reply.result?.replaced, [one.module], JSON.stringify(reply));
      assert.match(await guest.must(VERSION), /\[patched 1-2\]/);
      assert.equal((await call(guest, 'load', of(one.file, one.module))).error?.code, 'newer-active');
      assert.equal((await call(guest, 'unload', { module: two.module })).error, undefined);
    });
    for (const [name, module, code] of [
      ['odd-refuse.ko', 'odd_refuse', 'load-refused-init'],
      ['odd-nosuch.ko', 'odd_nosuch', 'load-refused-symbol'],
      ['odd-vermagic.ko', one.module, 'load-refused-format'],
    ] as const) {
      await check.step(`${name}: ${code}`, async () => {
        const reply = await call(guest, 'load', of(name, module));
        assert.equal(reply.error?.code, code, JSON.stringify(reply));
        assert.deepEqual(reply.loaded, []);
      });
    }
    await check.step('a utility older than the package wants is passed over', async () => {
      const reply = await call(guest, 'load', { ...of(one.file, one.module), needs: '0.9.12' });
      assert.equal(reply.result?.loader, 'builtin', JSON.stringify(reply));
      assert.equal((await call(guest, 'unload', { module: one.module })).error, undefined);
    });
    await check.step('a stall that does not end is reported as by the built-in loader', async () => {
      await guest.must('insmod /payload/modules/linger.ko thread=1 && sleep 1');
      const reply = await call(guest, 'load', of(stalling.file, stalling.module));
      assert.equal(reply.error?.code, 'transition-stalled', JSON.stringify(reply));
      assert.match(reply.error?.text ?? '', /linger \(\d+\) in linger_wait/);
      assert.deepEqual(reply.loaded, []);
      assert.doesNotMatch(await guest.must(`${VERSION}; lsmod`), /patched|kpatch_/);
    });
    await check.step('a missing utility that is asked for by name', async () => {
      const missing = { ...of(one.file, one.module), loader: 'kpatch', utility: { path: null, version: null } };
      assert.equal((await call(guest, 'load', missing)).error?.code, 'program-missing');
    });
  },
};

export const stallCases: readonly Case[] = [stalls, utility];
