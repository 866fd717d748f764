// One whole life on real kernels, under systemd and with the shipped units: the page docs/proof.md is what was typed in it.
import assert from 'node:assert/strict';
import path from 'node:path';
import { top } from '../../support/top.ts';
import type { Case, Check } from '../check.ts';
import { Disk } from '../disk.ts';
import type { Guest } from '../machine.ts';
import { programFiles, Repository } from '../repository.ts';
import { QUIET_TIMER, SYSTEMD, shutDown, systemdFiles } from '../systemd.ts';
import { Transcript } from '../transcript.ts';
import { kernel, level, type Prepared } from '../world.ts';
import { alsoInstalled } from './reboots.ts';

const VERSION = 'cat /proc/version';
const BOOTED = 'systemctl is-active kpatch-pm-boot.service';
const STATUS = 'kpatch-pm status';

const HEAD = [
  '# Proof: one life on real kernels',
  '',
  'This page answers: what is typed, what is printed, and does the kernel really change? It is written by the run itself:',
  '`npm run test:vm -- --transcript tour`. Two stock Debian kernels run in QEMU under systemd; the live patches are built from',
  '`test/vm/modules/marker.c` and replace the function behind `/proc/version`, so that everybody can see which code runs. They come as',
  'signed packages over HTTP. A rollback, crashes, power cuts, stalls and refusals have cases of their own ([testing.md](testing.md)).',
];

/** Waits until systemd is through with booting, so that what the units did is done. */
const settled = (guest: Guest): Promise<string> =>
  guest.must(
    'for n in $(seq 240); do systemctl is-active -q kpatch-pm-boot.service && exit; systemctl is-failed -q kpatch-pm-boot.service && exit 3; systemctl is-enabled -q kpatch-pm-boot.service || exit 0; sleep 1; done; exit 4',
    300,
  );

async function tour(check: Check): Promise<void> {
  const [first, second] = [kernel(0), kernel(1)];
  const [one, two, other] = [level(first, '1-1'), level(first, '1-2'), level(second, '1-1')];
  const repository = await Repository.open({ prepared: first, level: '1-1' }, { prepared: second, level: '1-1' });
  const disk = new Disk();
  const page = new Transcript();
  const boot = async (running: Prepared, neighbour: Prepared): Promise<Guest> => {
    const files = {
      ...systemdFiles(),
      ...QUIET_TIMER,
      ...programFiles(),
      ...repository.guestFiles(),
      ...alsoInstalled(neighbour),
    };
    const guest = await check.boot({ kernel: running.kernel, files, disk: disk.image, parameters: SYSTEMD });
    await settled(guest);
    return guest;
  };
  const patched = (text: string, name: string | null): void =>
    name === null ? assert.doesNotMatch(text, /patched/) : assert.match(text, new RegExp(`\\[patched ${name}\\]`));
  try {
    let guest: Guest;
    await check.step('before: unpatched, and status says what is on offer', async () => {
      page.chapter('1. Before', 'A machine with two kernels and a repository of live patches.');
      guest = await boot(first, second);
      patched(await page.type(guest, VERSION), null);
      await page.type(guest, 'cat /etc/yum.repos.d/vm.repo');
      await page.type(guest, 'kpatch-pm makecache');
      assert.match(await page.type(guest, STATUS), /not-installed/);
    });
    await check.step('auto: installed for both kernels, loaded into the running one', async () => {
      page.chapter(
        '2. One command',
        'Both kernels are provided for; the running one is patched at once, and the kernel says so itself.',
      );
      await page.type(guest, 'kpatch-pm auto -y');
      patched(await page.type(guest, VERSION), '1-1');
      await page.type(
        guest,
        `cat /sys/kernel/livepatch/${one.module}/enabled /sys/kernel/livepatch/${one.module}/transition`,
      );
      await page.type(guest, 'find /var/lib/kpatch -type f');
      assert.match(await page.type(guest, STATUS), /protected/);
      await page.type(guest, 'systemctl is-enabled kpatch-pm-boot.service kpatch-pm.timer');
      await page.type(guest, 'kpatch-pm verify');
    });
    await check.step('a higher level: replaced on disk and in the kernel', async () => {
      page.chapter(
        '3. A new level',
        'The vendor publishes level 1-2. It replaces the first on disk and in the kernel.',
      );
      repository.publish({ prepared: first, level: '1-2' });
      await page.type(guest, 'kpatch-pm upgrade -y --refresh');
      patched(await page.type(guest, VERSION), '1-2');
      assert.equal(
        await page.type(guest, 'kpatch-pm module list | sed -n "1,/^$/p"'),
        `Loaded patch modules:\n${two.module} [enabled]`,
      );
      await shutDown(guest);
    });
    await check.step('reboot into the same kernel: patched by the boot unit', async () => {
      page.chapter('4. A reboot', 'The boot unit loads it before the network is there. Nobody typed anything.');
      guest = await boot(first, second);
      await page.type(guest, BOOTED);
      await page.type(guest, 'cat /run/kpatch-pm-boot.service.log');
      patched(await page.type(guest, VERSION), '1-2');
      await shutDown(guest);
    });
    await check.step('reboot into the other kernel: its own patch', async () => {
      page.chapter('5. The other kernel', 'It was provided for in step 2 and is patched at its first boot.');
      guest = await boot(second, first);
      assert.equal(await page.type(guest, 'uname -r'), second.kernel.release);
      patched(await page.type(guest, VERSION), '1-1');
      assert.equal(await page.type(guest, 'ls /sys/kernel/livepatch'), other.module);
    });
    await check.step('removed: patched until the reboot, and told so', async () => {
      page.chapter(
        '6. Removed',
        'A removed patch stays in the running kernel until the reboot; the package is held, so that no automatic run brings it back.',
      );
      await page.type(guest, 'kpatch-pm remove -y "kpatch-patch-*"');
      patched(await page.type(guest, VERSION), '1-1');
      assert.match(await page.type(guest, STATUS), /patched-until-reboot/);
      await shutDown(guest);
    });
    await check.step('reboot: unpatched, and still held', async () => {
      page.chapter('7. After the reboot', 'Unpatched, and still held.');
      guest = await boot(second, first);
      patched(await page.type(guest, VERSION), null);
      assert.match(await page.type(guest, 'kpatch-pm install -y'), /Nothing to do.*to lift the hold/s);
      patched(await page.type(guest, VERSION), null);
      assert.match(await page.type(guest, STATUS), /held: removed/);
      await shutDown(guest);
    });
    const wanted = process.env.KPATCH_PM_TRANSCRIPT;
    if (wanted) page.save(path.resolve(top, wanted), HEAD);
  } finally {
    disk.remove();
    await repository.close();
  }
}

export const tourCases: readonly Case[] = [
  { name: 'tour', about: 'one whole life under systemd, which docs/proof.md tells', gate: true, run: tour },
];
