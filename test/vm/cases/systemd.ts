// The shipped units under a real systemd as process 1: boot, healthy, kernel-install, the service, the timer, all sandboxed.
import assert from 'node:assert/strict';
import type { Case, Check } from '../check.ts';
import { Disk } from '../disk.ts';
import type { Guest } from '../machine.ts';
import { programFiles, Repository } from '../repository.ts';
import { QUIET_TIMER, SYSTEMD, shutDown, systemdFiles, utilityFiles } from '../systemd.ts';
import { kernel, level, VERSION } from '../world.ts';

const LOG = (unit: string): string => `cat /run/${unit}.log 2>/dev/null`;

/** Waits until a unit is done; gives `ActiveState Result ExecMainStatus`. */
async function done(guest: Guest, unit: string): Promise<string> {
  const show = `echo $(systemctl show -P ActiveState ${unit}) $(systemctl show -P Result ${unit}) $(systemctl show -P ExecMainStatus ${unit})`;
  const wait = `for n in $(seq 240); do s=$(systemctl show -P ActiveState ${unit}); case $s in activating|reloading) sleep 1;; *) break;; esac; done; ${show}`;
  return (await guest.must(wait, 300)).trim();
}

async function units(check: Check): Promise<void> {
  const [running, other] = [kernel(0), kernel(1)];
  const one = level(running, '1-1');
  const two = level(other, '1-1');
  const repository = await Repository.open({ prepared: running, level: '1-1' }, { prepared: other, level: '1-1' });
  const disk = new Disk();
  const files = {
    ...systemdFiles(),
    ...programFiles(),
    ...repository.guestFiles(),
    '/etc/dnf/plugins/kpatch.conf': { text: '[main]\nautoupdate = True\n' },
    '/etc/systemd/system/kpatch-pm.timer.d/soon.conf': {
      text: '[Timer]\nOnCalendar=\nOnBootSec=\nOnActiveSec=3s\nRandomizedDelaySec=0\nAccuracySec=1s\n',
    },
  };
  const boot = (): Promise<Guest> =>
    check.boot({ kernel: running.kernel, files, disk: disk.image, parameters: SYSTEMD });
  try {
    let guest: Guest;
    await check.step('auto --no-load on a running systemd enables the boot unit and the timer', async () => {
      guest = await boot();
      assert.equal(await guest.must('cat /proc/1/comm'), 'systemd');
      const said = await guest.run('kpatch-pm auto -y --no-load', 300);
      assert.equal(said.status, 0, said.out + said.err);
      assert.match(said.err, /Unattended runs are on \(kpatch-pm\.timer\)/);
      assert.equal(await guest.must('systemctl is-enabled kpatch-pm-boot.service kpatch-pm.timer'), 'enabled\nenabled');
      const [next] = JSON.parse(await guest.must('kpatch-pm status --json')).kernels;
      assert.deepEqual([next.next_boot.loads, next.next_boot.by], [[one.module], 'kpatch-pm-boot.service']);
      // It is to fire when it is wanted, below.
      await guest.must('systemctl disable --now kpatch-pm.timer; sync');
      await guest.off();
    });
    await check.step(
      'the next boot: kpatch-pm-boot.service loads in its sandbox, and its marker goes when healthy',
      async () => {
        guest = await boot();
        assert.equal(
          await done(guest, 'kpatch-pm-boot.service'),
          'active success 0',
          await guest.must(LOG('kpatch-pm-boot.service')),
        );
        assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
        assert.equal(await guest.must('ls /sys/kernel/livepatch'), one.module);
        await guest.must(
          'for n in $(seq 120); do grep -q \'"attempts": \\[\\]\' /var/lib/kpatch-pm/attempts.json && exit 0; sleep 1; done; exit 1',
          150,
        );
        assert.match(await done(guest, 'kpatch-pm-healthy.service'), /^inactive success 0/);
      },
    );
    await check.step(
      'kernel-install add: the plug-in queues, the service installs over HTTP in its sandbox',
      async () => {
        const { release } = other.kernel;
        await guest.must(
          `mkdir -p /boot /usr/lib/modules/${release} && echo k >/usr/lib/modules/${release}/vmlinuz && echo k >/boot/vmlinuz-${release}`,
        );
        await guest.must(`BOOT_ROOT=/boot kernel-install add ${release} /boot/vmlinuz-${release}`);
        await guest.must(
          'for n in $(seq 240); do [ -z "$(ls /var/lib/kpatch-pm/queue)" ] && exit 0; sleep 1; done; exit 1',
          300,
        );
        assert.match(await done(guest, 'kpatch-pm.service'), /^inactive success 0/);
        assert.equal(
          await guest.must(`ls /var/lib/kpatch/${release}`),
          two.file,
          await guest.must(LOG('kpatch-pm.service')),
        );
        // What both units and typed runs share: still there, root's alone, and nothing left in it.
        assert.equal(await guest.must("stat -c '%a %U %F' /run/kpatch-pm; ls /run/kpatch-pm"), '700 root directory');
      },
    );
    await check.step(
      'kernel-install remove of a kernel that stays: nothing is lost; of one that goes: its patch goes',
      async () => {
        const { release } = other.kernel;
        await guest.must(`BOOT_ROOT=/boot kernel-install remove ${release}`);
        await guest.must('kpatch-pm service wait', 300);
        assert.equal(await guest.must(`ls /var/lib/kpatch/${release}`), two.file);
        await guest.must(
          `rm -rf /usr/lib/modules/${release} /boot/vmlinuz-${release}; BOOT_ROOT=/boot kernel-install remove ${release}`,
        );
        await guest.must('kpatch-pm service wait', 300);
        assert.equal(await guest.must(`ls -d /var/lib/kpatch/${release} 2>/dev/null || true`), '');
      },
    );
    await check.step('the timer fires: a higher level is installed and loaded without anybody', async () => {
      repository.publish({ prepared: running, level: '1-2' });
      await guest.must('systemctl enable --now kpatch-pm.timer');
      await guest.must(
        `for n in $(seq 240); do ${VERSION} | grep -q 'patched 1-2' && exit 0; sleep 1; done; ${LOG('kpatch-pm.service')}; exit 1`,
        300,
      );
      assert.match(await done(guest, 'kpatch-pm.service'), /^inactive success 0/);
    });
    await check.step('manual disables the timer', async () => {
      const said = await guest.run('kpatch-pm manual', 120);
      assert.match(said.err, /Unattended runs are off/);
      assert.equal((await guest.run('systemctl is-enabled kpatch-pm.timer')).out.trim(), 'disabled');
      assert.equal((await guest.run('systemctl is-active kpatch-pm.timer')).out.trim(), 'inactive');
    });
  } finally {
    disk.remove();
    await repository.close();
  }
}

/** Our boot unit and the utility's kpatch.service on one machine, as on RHEL. */
async function together(check: Check): Promise<void> {
  const running = kernel(0);
  const one = level(running, '1-1');
  const repository = await Repository.open({ prepared: running, level: '1-1' });
  const disk = new Disk();
  const files = {
    ...systemdFiles(),
    ...utilityFiles(),
    ...QUIET_TIMER,
    ...programFiles(),
    ...repository.guestFiles(),
    // The machine is to go down before its time has come.
    '/etc/systemd/system/kpatch-pm-healthy.timer.d/late.conf': { text: '[Timer]\nOnActiveSec=\nOnActiveSec=1d\n' },
  };
  const boot = (): Promise<Guest> =>
    check.boot({ kernel: running.kernel, files, disk: disk.image, parameters: SYSTEMD });
  const nextBoot = async (guest: Guest): Promise<readonly unknown[]> => {
    const { next_boot: next } = JSON.parse(await guest.must('kpatch-pm status --json')).kernels[0];
    return [next.loads, next.by];
  };
  const attempts = 'cat /var/lib/kpatch-pm/attempts.json';
  try {
    let guest: Guest;
    await check.step('both units are enabled; nothing is loaded yet', async () => {
      guest = await boot();
      await guest.must('kpatch-pm auto -y --no-load && systemctl enable kpatch.service', 300);
      assert.deepEqual((await nextBoot(guest))[0], [one.module]);
      assert.doesNotMatch(await guest.must(VERSION), /patched/);
      await guest.must('sync');
      await guest.off();
    });
    await check.step('the next boot: ours loads, by the utility, and kpatch.service finds the work done', async () => {
      guest = await boot();
      assert.equal(
        await done(guest, 'kpatch-pm-boot.service'),
        'active success 0',
        await guest.must(LOG('kpatch-pm-boot.service')),
      );
      assert.equal(await done(guest, 'kpatch.service'), 'active success 0', await guest.must(LOG('kpatch.service')));
      assert.match(
        await guest.must(LOG('kpatch.service')),
        new RegExp(`module named ${one.module} already loaded and enabled`),
      );
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
      assert.equal(await guest.must('ls /sys/kernel/livepatch'), one.module);
      assert.match(await guest.must(attempts), new RegExp(`"module": "${one.module}"`));
    });
    await check.step('the plug is pulled before it proved healthy: no quarantine, it is tried again', async () => {
      await guest.must('sync');
      await guest.off();
      guest = await boot();
      assert.equal(await done(guest, 'kpatch-pm-boot.service'), 'active success 0');
      assert.match(await guest.must(LOG('kpatch-pm-boot.service')), /without a trace of a crash; it is tried again/);
      assert.equal(await guest.must('kpatch-pm quarantine'), 'Nothing is in quarantine.');
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
    });
    await check.step(
      'an orderly shutdown before its time: what was loaded did no harm, and its marker goes',
      async () => {
        await shutDown(guest);
        guest = await boot();
        assert.equal(await done(guest, 'kpatch-pm-boot.service'), 'active success 0');
        assert.match(await guest.must(attempts), /"attempts": \[\]/);
        assert.doesNotMatch(await guest.must(LOG('kpatch-pm-boot.service')), /tried again/);
        assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
      },
    );
    await check.step('kpatch.service is disabled: status says so, and the next boot is unpatched', async () => {
      await guest.must('systemctl disable kpatch.service');
      assert.deepEqual(await nextBoot(guest), [[], null]);
      await guest.must('sync');
      await guest.off();
      guest = await boot();
      assert.equal(await done(guest, 'kpatch-pm-boot.service'), 'active success 0');
      assert.match(await guest.must(LOG('kpatch-pm-boot.service')), /kpatch\.service is disabled/);
      assert.doesNotMatch(await guest.must(VERSION), /patched/);
      assert.equal((await guest.run('systemctl is-active kpatch.service')).out.trim(), 'inactive');
    });
  } finally {
    disk.remove();
    await repository.close();
  }
}

export const systemdCases: readonly Case[] = [
  { name: 'systemd', about: 'the shipped units under systemd as process 1', gate: true, run: units },
  { name: 'units-together', about: 'our boot unit and kpatch.service on one machine', gate: false, run: together },
];
