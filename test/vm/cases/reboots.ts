// Two kernels on one disk, and the plug pulled in the middle of the work.
import assert from 'node:assert/strict';
import type { Case, Check } from '../check.ts';
import { Disk } from '../disk.ts';
import type { Guest, GuestOptions } from '../machine.ts';
import { programFiles, Repository } from '../repository.ts';
import { kernel, level, type Prepared, VERSION } from '../world.ts';
import { kernelsOf } from './job.ts';

/** A second installed kernel, as far as kpatch-pm looks. */
export function alsoInstalled({ kernel }: Prepared): NonNullable<GuestOptions['files']> {
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

interface Moment {
  readonly name: string;
  /** Bash condition, tried without pause while `auto` runs; `$new`, `$old` are the module files, `$module` the new module. */
  readonly when: string;
  readonly gate: boolean;
}

const MOMENTS: readonly Moment[] = [
  { name: 'the package is fetched', when: 'compgen -G "/var/cache/kpatch-pm/**/*-1-2.*"', gate: false },
  { name: 'bytes are staged', when: 'compgen -G "/var/lib/kpatch-pm/staging/*"', gate: false },
  { name: 'the journal is committed', when: '[ -s /var/lib/kpatch-pm/journal.json ]', gate: true },
  { name: 'the new module is in place', when: '[ -e "$new" ]', gate: false },
  { name: 'the old module has left', when: '[ ! -e "$old" ]', gate: false },
  { name: 'the new module is in the kernel', when: '[ -e "/sys/kernel/livepatch/$module" ]', gate: false },
];

/** Runs `auto` and cuts the power (no sync, no flush) as soon as the condition holds. */
function cutWhen(moment: Moment, names: { new: string; old: string; module: string }): string {
  return [
    'shopt -s globstar',
    `new=${names.new} old=${names.old} module=${names.module}`,
    'kpatch-pm auto -y --refresh >/tmp/out 2>&1 & auto=$!',
    `until ${moment.when} >/dev/null; do kill -0 $auto 2>/dev/null || { cat /tmp/out; exit 3; }; done`,
    'echo b > /proc/sysrq-trigger; sleep 60',
  ].join('\n');
}

async function powerCut(check: Check, moments: readonly Moment[]): Promise<void> {
  const running = kernel(0);
  const { release } = running.kernel;
  const [one, two] = [level(running, '1-1'), level(running, '1-2')];
  const [old, fresh] = [`/var/lib/kpatch/${release}/${one.file}`, `/var/lib/kpatch/${release}/${two.file}`];
  const repository = await Repository.open({ prepared: running, level: '1-1' });
  const [before, disk] = [new Disk(), new Disk()];
  const files = { ...programFiles(), ...repository.guestFiles(), '/payload/modules': running.modules };
  const boot = (image: Disk): Promise<Guest> =>
    check.boot({ kernel: running.kernel, files, disk: image.image, cpus: 2 });
  const whole = new Map<string, string>();
  try {
    await check.step('level 1-1 is installed', async () => {
      const guest = await boot(before);
      const said = await guest.run('kpatch-pm auto -y && sync', 300);
      assert.equal(said.status, 0, said.out + said.err);
      for (const [file, name] of [
        [old, one.file],
        [fresh, two.file],
      ] as const) {
        whole.set(file, (await guest.must(`sha256sum /payload/modules/${name}`)).split(' ')[0] ?? '');
      }
      await guest.off();
    });
    repository.publish({ prepared: running, level: '1-2' });
    for (const moment of moments) {
      await check.step(`power cut when ${moment.name}: only whole files, and auto finishes the work`, async () => {
        disk.copyOf(before);
        const cut = await boot(disk);
        const said = await cut.run(cutWhen(moment, { new: fresh, old, module: two.module }), 300).catch(() => null);
        assert.equal(said, null, `the moment never came: ${said?.out}`);
        assert.ok(await cut.ends(30), 'the machine is still on');
        await cut.off();
        const guest = await boot(disk);
        const found = (await guest.must('find /var/lib/kpatch -type f -exec sha256sum {} +')).split('\n');
        assert.notDeepEqual(found, [''], 'the old level is gone and the new one not there');
        for (const [sum = '', file = ''] of found.map((line) => line.split(/\s+/))) {
          assert.equal(sum, whole.get(file), `${file} is not whole`);
        }
        const again = await guest.run('kpatch-pm auto -y --refresh', 300);
        assert.equal(again.status, 0, again.out + again.err);
        assert.match(await guest.must(VERSION), /\[patched 1-2\]/);
        assert.equal(await guest.must('find /var/lib/kpatch -type f'), fresh);
        await guest.off();
      });
    }
  } finally {
    before.remove();
    disk.remove();
    await repository.close();
  }
}

export const rebootCases: readonly Case[] = [
  {
    name: 'two-kernels',
    about: 'both kernels are provided for; only the running one is loaded',
    gate: false,
    run: twoKernels,
  },
  {
    name: 'power-cut',
    about: 'the power fails at the moment of an upgrade that matters most',
    gate: true,
    run: (check) =>
      powerCut(
        check,
        MOMENTS.filter((moment) => moment.gate),
      ),
  },
  { name: 'power-cuts', about: 'the same at every moment', gate: false, run: (check) => powerCut(check, MOMENTS) },
];
