// Two kernels on one disk, and the plug pulled in the middle of the work.
import assert from 'node:assert/strict';
import type { Case, Check } from '../check.ts';
import { Disk } from '../disk.ts';
import type { Guest, GuestOptions } from '../machine.ts';
import { programFiles, Repository } from '../repository.ts';
import { kernel, level, type Prepared, VERSION } from '../world.ts';
import { kernelsOf } from './job.ts';

/** A second installed kernel, as far as kpatch-pm looks. */
function alsoInstalled({ kernel }: Prepared): NonNullable<GuestOptions['files']> {
  return { [`/usr/lib/modules/${kernel.release}/vmlinuz`]: { text: 'a kernel\n' } };
}

async function twoKernels(check: Check): Promise<void> {
  const [first, second] = [kernel(0), kernel(1)];
  const [one, two] = [level(first, '1-2'), level(second, '1-1')];
  const repository = await Repository.open(
    { prepared: first, level: '1-1' },
    { prepared: first, level: '1-2' },
    { prepared: second, level: '1-1' },
  );
  const disk = new Disk();
  const boot = (running: Prepared, other: Prepared): Promise<Guest> => {
    const files = { ...programFiles(), ...repository.guestFiles(), ...alsoInstalled(other) };
    return check.boot({ kernel: running.kernel, files, disk: disk.image });
  };
  try {
    await check.step('auto installs for both kernels and loads into the running one', async () => {
      const guest = await boot(first, second);
      const said = await guest.run('kpatch-pm auto -y', 300);
      assert.equal(said.status, 0, said.out + said.err);
      const files = (await guest.must('find /var/lib/kpatch -type f | sort')).split('\n').sort();
      assert.deepEqual(
        files,
        [
          `/var/lib/kpatch/${first.kernel.release}/${one.file}`,
          `/var/lib/kpatch/${second.kernel.release}/${two.file}`,
        ].sort(),
      );
      assert.match(await guest.must(VERSION), /\[patched 1-2\]/);
      assert.equal(await guest.must('ls /sys/kernel/livepatch'), one.module);
      const verdicts = (await kernelsOf(guest)).map(({ release, verdict }) => [release, verdict]);
      assert.deepEqual(Object.fromEntries(verdicts), {
        [first.kernel.release]: 'protected',
        [second.kernel.release]: 'ready-at-boot',
      });
      await guest.must('sync');
      await guest.off();
    });
    await check.step('the other kernel boots: its patch is there, not loaded, and status says so', async () => {
      const guest = await boot(second, first);
      assert.equal(await guest.must('uname -r'), second.kernel.release);
      assert.doesNotMatch(await guest.must(VERSION), /patched/);
      const of = (await kernelsOf(guest)).find(({ running }) => running);
      assert.deepEqual([of?.release, of?.verdict], [second.kernel.release, 'installed-not-loaded']);
      const said = await guest.run('kpatch-pm install -y --cacheonly', 300);
      assert.equal(said.status, 0, said.out + said.err);
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
      assert.equal(await guest.must('ls /sys/kernel/livepatch'), two.module);
      await guest.off();
    });
  } finally {
    disk.remove();
    await repository.close();
  }
}

/** Seconds after the start of `auto` at which the plug is pulled; spread over the whole run, which takes about 5 to 10 s. */
const CUTS = { gate: [2.5, 4.5], all: [1, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 8] };

async function powerCut(check: Check, moments: readonly number[]): Promise<void> {
  const running = kernel(0);
  const { release } = running.kernel;
  const [one, two] = [level(running, '1-1'), level(running, '1-2')];
  const repository = await Repository.open({ prepared: running, level: '1-1' });
  const disk = new Disk();
  const files = { ...programFiles(), ...repository.guestFiles(), '/payload/modules': running.modules };
  const boot = (): Promise<Guest> => check.boot({ kernel: running.kernel, files, disk: disk.image });
  const sums = (guest: Guest): Promise<string> =>
    guest.must('find /var/lib/kpatch -type f -exec sha256sum {} + | sort');
  try {
    let guest = await boot();
    const whole = new Map<string, string>();
    await check.step('level 1-1 is installed', async () => {
      const said = await guest.run('kpatch-pm auto -y && sync', 300);
      assert.equal(said.status, 0, said.out + said.err);
      for (const { file } of [one, two]) {
        const [sum = ''] = (await guest.must(`sha256sum /payload/modules/${file}`)).split(' ');
        whole.set(`/var/lib/kpatch/${release}/${file}`, sum);
      }
      await guest.off();
    });
    repository.publish({ prepared: running, level: '1-2' });
    for (const moment of moments) {
      await check.step(
        `the plug is pulled ${moment} s into the upgrade: only whole files, and auto finishes it`,
        async () => {
          guest = await boot();
          void guest.run('kpatch-pm auto -y --refresh', 300).catch(() => {});
          await new Promise((resolve) => setTimeout(resolve, moment * 1000));
          await guest.off();
          guest = await boot();
          const found = (await sums(guest)).split('\n').map((line) => line.split(/\s+/));
          assert.ok(found.length >= 1 && found[0]?.[0] !== '', 'the old level is gone and the new one not there');
          for (const [sum = '', file = ''] of found) assert.equal(sum, whole.get(file), `${file} is not whole`);
          const said = await guest.run('kpatch-pm auto -y --refresh', 300);
          assert.equal(said.status, 0, said.out + said.err);
          assert.match(await guest.must(VERSION), /\[patched 1-2\]/);
          assert.equal(await guest.must('find /var/lib/kpatch -type f'), `/var/lib/kpatch/${release}/${two.file}`);
          // Back to the level before, for the next cut.
          const back = `rm -rf /var/lib/kpatch/${release} /var/lib/kpatch-pm && kpatch-pm install -y --setopt=vm.excludepkgs='*1-2*' --no-load && sync`;
          const again = await guest.run(back, 300);
          assert.equal(again.status, 0, again.out + again.err);
          assert.equal(await guest.must('find /var/lib/kpatch -type f'), `/var/lib/kpatch/${release}/${one.file}`);
          await guest.off();
        },
      );
    }
  } finally {
    disk.remove();
    await repository.close();
  }
}

export const rebootCases: readonly Case[] = [
  {
    name: 'two-kernels',
    about: 'both kernels are provided for; only the running one is loaded',
    gate: true,
    run: twoKernels,
  },
  {
    name: 'power-cut',
    about: 'the plug is pulled during an upgrade',
    gate: true,
    run: (check) => powerCut(check, CUTS.gate),
  },
  { name: 'power-cuts', about: 'the same at ten moments', gate: false, run: (check) => powerCut(check, CUTS.all) },
];
