// The boot verb and the crash guard on real kernels: what kpatch-pm-boot.service does, called by hand.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Case, Check } from '../check.ts';
import { Disk } from '../disk.ts';
import type { Guest } from '../machine.ts';
import { scratch } from '../place.ts';
import { programFiles, Repository } from '../repository.ts';
import { kernel, level, VERSION } from '../world.ts';
import { kernelsOf } from './job.ts';

/** Where the firmware's log store shows itself, and what is in it. */
const PSTORE = 'mount -t pstore pstore /sys/fs/pstore 2>/dev/null; ls /sys/fs/pstore';

interface Stage {
  readonly repository: Repository;
  readonly boot: (parameters?: string) => Promise<Guest>;
}

/** A machine with a disk for /var and firmware that keeps crash logs (ACPI ERST), which both outlive it. */
async function staged(check: Check, published: string, act: (stage: Stage) => Promise<void>): Promise<void> {
  const running = kernel(0);
  const repository = await Repository.open({ prepared: running, level: published });
  const disk = new Disk();
  const firmware = scratch('pstore');
  const files = { ...programFiles(), ...repository.guestFiles() };
  const boot = (parameters = ''): Promise<Guest> =>
    check.boot({ kernel: running.kernel, files, disk: disk.image, pstore: path.join(firmware, 'erst'), parameters });
  try {
    await act({ repository, boot });
  } finally {
    rmSync(firmware, { recursive: true, force: true });
    disk.remove();
    await repository.close();
  }
}

const verdictOf = async (guest: Guest): Promise<unknown> =>
  (await kernelsOf(guest)).find(({ running }) => running)?.verdict;

async function atBoot(check: Check): Promise<void> {
  const one = level(kernel(0), '1-1');
  await staged(check, '1-1', async ({ boot }) => {
    let guest: Guest;
    await check.step(
      'installed without loading, a reboot: the boot verb loads it and the kernel shows it',
      async () => {
        guest = await boot();
        await guest.must('kpatch-pm install -y --no-load && sync', 300);
        await guest.off();
        guest = await boot();
        assert.doesNotMatch(await guest.must(VERSION), /patched/);
        const said = await guest.run('kpatch-pm boot', 300);
        assert.equal(said.status, 0, said.out + said.err);
        assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
        assert.equal(await guest.must('kpatch-pm module list | head -2 | tail -1'), `${one.module} [enabled]`);
        assert.match(await guest.must('cat /var/lib/kpatch-pm/attempts.json'), new RegExp(`"module": "${one.module}"`));
      },
    );
    await check.step('the plug is pulled before it proved healthy: no crash, no quarantine, loaded again', async () => {
      await guest.off();
      guest = await boot();
      assert.equal(await guest.must(PSTORE), '');
      const said = await guest.run('kpatch-pm boot', 300);
      assert.equal(said.status, 0, said.out + said.err);
      assert.match(said.err, /without a trace of a crash; it is tried again/);
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
      await guest.must('kpatch-pm boot healthy && sync');
      assert.match(await guest.must('cat /var/lib/kpatch-pm/attempts.json'), /"attempts": \[\]/);
    });
    await check.step('what proved healthy gets no marker: two more pulled plugs change nothing', async () => {
      for (let n = 0; n < 2; n++) {
        await guest.off();
        guest = await boot();
        const said = await guest.run('kpatch-pm boot', 300);
        assert.deepEqual([said.status, /tried again/.test(said.err)], [0, false], said.out + said.err);
        assert.match(await guest.must('cat /var/lib/kpatch-pm/attempts.json'), /"attempts": \[\]/);
      }
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
    });
    await check.step('kpatch.enable=0 on the kernel command line: nothing is loaded, and that is said', async () => {
      await guest.off();
      guest = await boot('kpatch.enable=0');
      const said = await guest.run('kpatch-pm boot', 300);
      assert.equal(said.status, 0, said.out + said.err);
      assert.match(said.err, /kpatch\.enable=0/);
      assert.doesNotMatch(await guest.must(VERSION), /patched/);
    });
    await check.step('kpatch.service is there and disabled: nothing is loaded; enabled: it is', async () => {
      await guest.off();
      guest = await boot();
      await guest.must('mkdir -p /usr/lib/systemd/system && touch /usr/lib/systemd/system/kpatch.service');
      assert.match((await guest.run('kpatch-pm boot', 300)).err, /kpatch\.service is disabled/);
      assert.doesNotMatch(await guest.must(VERSION), /patched/);
      await guest.must(
        'd=/etc/systemd/system/multi-user.target.wants; mkdir -p $d; ln -s /usr/lib/systemd/system/kpatch.service $d/',
      );
      await guest.must('kpatch-pm boot', 300);
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
    });
    await check.step('module unload and load, in the words of the utility', async () => {
      assert.equal(
        await guest.must(`kpatch-pm module unload --yes ${one.module} | grep -v -e waiting -e complete`),
        `disabling patch module: ${one.module}\nunloading patch module: ${one.module}`,
      );
      assert.doesNotMatch(await guest.must(VERSION), /patched/);
      assert.match(
        await guest.must(`kpatch-pm module load ${one.file}`, 300),
        /^loading patch module: \/var\/lib\/kpatch\//,
      );
      assert.equal(
        await guest.must(`kpatch-pm module load ${one.module}`),
        `module named ${one.module} already loaded and enabled`,
      );
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
      // Each of the two that changed the kernel is in the history, the third is not.
      const { transactions } = JSON.parse(await guest.must('kpatch-pm history --json'));
      const last = transactions
        .slice(0, 2)
        .map((one: { actions: { do: string; module: string; outcome: string }[] }) => {
          return one.actions.map((action) => `${action.do} ${action.module} ${action.outcome}`).join();
        });
      assert.deepEqual(last, [`load ${one.module} done`, `unload ${one.module} done`]);
    });
    await check.step('removed and rebooted: unpatched, and still held', async () => {
      await guest.must('kpatch-pm -y remove "kpatch-patch-*" && sync', 300);
      await guest.off();
      guest = await boot();
      await guest.must('kpatch-pm boot', 300);
      assert.doesNotMatch(await guest.must(VERSION), /patched/);
      const said = await guest.run('kpatch-pm auto -y', 300);
      assert.equal(said.status, 0, said.out + said.err);
      const [found] = JSON.parse(await guest.must('kpatch-pm status --json')).kernels;
      assert.equal(found.held?.code, 'held', JSON.stringify(found));
      assert.equal(await guest.must('find /var/lib/kpatch -name "*.ko"'), '');
      assert.doesNotMatch(await guest.must(VERSION), /patched/);
    });
  });
}

async function crash(check: Check): Promise<void> {
  const running = kernel(0);
  const [one, bad] = [level(running, '1-1'), level(running, '1-6')];
  await staged(check, '1-1', async ({ repository, boot }) => {
    let guest: Guest;
    await check.step('a level that brings the machine down takes the place of a sound one and is loaded', async () => {
      guest = await boot();
      await guest.must('kpatch-pm auto -y && sync', 300);
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
      repository.publish({ prepared: running, level: '1-6' });
      void guest.run('kpatch-pm auto -y --refresh', 300).catch(() => undefined);
      assert.equal(await guest.ends(240), true, 'the machine did not go down');
      await guest.off();
    });
    await check.step(
      'the boot after finds its marker and the crash log of the firmware: quarantine, and the sound level is back',
      async () => {
        guest = await boot();
        assert.match(await guest.must(PSTORE), /dmesg-erst/);
        const said = await guest.run('kpatch-pm boot', 300);
        assert.equal(said.status, 1, said.out + said.err);
        assert.match(said.err, new RegExp(`${bad.module} is quarantined: .*/sys/fs/pstore/dmesg-erst`));
        assert.match(said.err, /The level before .*-1-6\..* is installed again/);
        assert.equal(await guest.must('find /var/lib/kpatch -name "*.ko" -printf %f'), one.file);
        assert.equal(await verdictOf(guest), 'quarantined');
        assert.match(await guest.must('kpatch-pm quarantine'), new RegExp(bad.module));
        assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
      },
    );
    await check.step('auto leaves it alone; the next level is taken and loaded', async () => {
      const said = await guest.run('kpatch-pm auto -y', 300);
      assert.equal(said.status, 0, said.out + said.err);
      assert.equal(await guest.must('find /var/lib/kpatch -name "*.ko" -printf %f'), one.file);
      repository.publish({ prepared: running, level: '1-10' });
      await guest.must('kpatch-pm auto -y --refresh', 300);
      assert.match(await guest.must(VERSION), /\[patched 1-10\]/);
      assert.equal(await verdictOf(guest), 'protected');
      assert.equal((await guest.run('kpatch-pm boot', 300)).status, 1);
      await guest.must(`kpatch-pm quarantine clear ${bad.module}`);
      // A higher level has taken its place: it does not return.
      assert.doesNotMatch(await guest.must('find /var/lib/kpatch -name "*.ko"'), new RegExp(bad.file));
      assert.equal((await guest.run('kpatch-pm boot', 300)).status, 0);
      assert.match(await guest.must(VERSION), /\[patched 1-10\]/);
    });
  });
}

async function strikes(check: Check): Promise<void> {
  const bad = level(kernel(0), '1-6');
  await staged(check, '1-6', async ({ boot }) => {
    let guest: Guest;
    await check.step('without a crash log: the machine goes down at load, and at the next boot again', async () => {
      guest = await boot('erst_disable');
      await guest.must('kpatch-pm install -y --no-load && sync', 300);
      for (let n = 0; n < 2; n++) {
        void guest.run('kpatch-pm boot', 300).catch(() => undefined);
        assert.equal(await guest.ends(240), true, 'the machine did not go down');
        await guest.off();
        guest = await boot('erst_disable');
      }
    });
    await check.step('the third boot quarantines it and comes up', async () => {
      const said = await guest.run('kpatch-pm boot', 300);
      assert.equal(said.status, 1, said.out + said.err);
      assert.match(said.err, new RegExp(`${bad.module} is quarantined: 2 boots in a row`));
      assert.equal(await verdictOf(guest), 'quarantined');
    });
  });
}

async function probed(check: Check): Promise<void> {
  const one = level(kernel(0), '1-1');
  await staged(check, '1-1', async ({ boot }) => {
    const guest = await boot();
    const events = '/sys/kernel/tracing';
    await check.step(
      'a kprobe on the function that the patch replaces: loaded, and the conflict is named',
      async () => {
        await guest.must(`echo 'p:kpm/mine version_proc_show' >${events}/kprobe_events`);
        await guest.must(`echo 1 >${events}/events/kpm/mine/enable`);
        const said = await guest.run('kpatch-pm install -y', 300);
        assert.match(said.err, /a kprobe \(kpm\/mine\) on version_proc_show/, said.out + said.err);
        assert.equal(said.status, 0, said.out + said.err);
        assert.equal(await guest.must('kpatch-pm module list | head -2 | tail -1'), `${one.module} [enabled]`);
      },
    );
    await check.step(
      'without the probe nothing is said, although the live patch hangs on the function too',
      async () => {
        await guest.must(`echo 0 >${events}/events/kpm/mine/enable; echo >${events}/kprobe_events`);
        await guest.must(`kpatch-pm module unload --yes ${one.module}`, 300);
        const said = await guest.run(`kpatch-pm module load ${one.module}`, 300);
        assert.equal(said.status, 0, said.out + said.err);
        assert.doesNotMatch(said.err, /probe/);
      },
    );
  });
}

export const bootCases: readonly Case[] = [
  { name: 'boot', about: 'the boot verb loads, after reboots and pulled plugs', gate: false, run: atBoot },
  {
    name: 'crash-guard',
    about: 'a live patch that crashes the machine is out of use at the next boot, and the level before returns',
    gate: true,
    run: crash,
  },
  { name: 'probes', about: 'a kprobe on a function that is replaced', gate: false, run: probed },
  { name: 'crash-strikes', about: 'the same where nothing keeps a crash log', gate: false, run: strikes },
];
