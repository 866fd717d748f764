// A kernel that takes signed modules only: what it would refuse is refused before anything is put in place.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import type { Case, Check } from '../check.ts';
import type { Guest } from '../machine.ts';
import { signedByStranger } from '../modules.ts';
import { scratch } from '../place.ts';
import { programFiles, Repository } from '../repository.ts';
import { kernel, level, VERSION } from '../world.ts';

const NOTHING = 'find /var/lib/kpatch -type f 2>/dev/null; ls /sys/kernel/livepatch';

async function signatures(check: Check): Promise<void> {
  const running = kernel(0);
  const work = scratch('signed');
  const byKey = signedByStranger(running.kernel, level(running, '1-2').path, work, 'key');
  const byCertificate = signedByStranger(running.kernel, level(running, '1-10').path, work, 'certificate');
  const repository = await Repository.open({ prepared: running, level: '1-1' });
  const files = { ...programFiles(), ...repository.guestFiles() };
  const boot = (parameters: string): Promise<Guest> => check.boot({ kernel: running.kernel, files, parameters });
  const refused = async (guest: Guest, why: RegExp): Promise<void> => {
    const said = await guest.run('kpatch-pm install -y --refresh', 300);
    assert.equal(said.status, 1, said.out + said.err);
    assert.match(said.err, why);
    assert.match(said.err, /was not installed/);
    assert.equal(await guest.must(NOTHING), '');
    assert.doesNotMatch(await guest.must(VERSION), /patched/);
  };
  try {
    let guest: Guest;
    await check.step(
      'module.sig_enforce=1: the keys of the kernel are seen, and one of them signed its own modules',
      async () => {
        guest = await boot('module.sig_enforce=1');
        assert.equal(await guest.must('cat /sys/module/module/parameters/sig_enforce'), 'Y');
        const own = await guest.must('modinfo -n virtio_console');
        const [found] = JSON.parse((await guest.run(`kpatch-pm inspect --json ${own}`)).out);
        const keyring = found.livepatch?.modules[0]?.signature.in_keyring ?? found.module?.signature.in_keyring;
        assert.match(
          String(keyring),
          /^(yes|likely)$/,
          JSON.stringify(found) + (await guest.must('grep asymm /proc/keys')),
        );
      },
    );
    await check.step('an unsigned live patch is refused before anything is put in place', () =>
      refused(guest, /carries no signature, and this kernel takes signed modules only \(module\.sig_enforce is on\)/),
    );
    await check.step('so is one that names a key which no keyring of the kernel shows', async () => {
      repository.publish({ prepared: running, level: '1-2', module: byKey });
      await refused(
        guest,
        /is signed by the key [0-9A-F]+, which none of the kernel's keyrings shows \(\.builtin_trusted_keys/,
      );
    });
    await check.step(
      'one by an unknown certificate is doubted, the kernel decides, and nothing is left of it',
      async () => {
        repository.publish({ prepared: running, level: '1-10', module: byCertificate });
        const said = await guest.run('kpatch-pm install -y --refresh', 300);
        assert.equal(said.status, 1, said.out + said.err);
        assert.match(said.err, /is signed by "A stranger" \(certificate [0-9A-F]+\).* will most likely refuse it/);
        assert.match(said.err, /does not trust the signature/);
        assert.equal(await guest.must(NOTHING), '');
        await guest.off();
      },
    );
    await check.step('lockdown=integrity enforces them as well', async () => {
      guest = await boot('lockdown=integrity');
      assert.match(
        await guest.must(
          'cat /sys/kernel/security/lockdown 2>/dev/null || { mount -t securityfs s /sys/kernel/security && cat /sys/kernel/security/lockdown; }',
        ),
        /\[integrity\]/,
      );
      // The unsigned one is asked for by its level.
      const { release } = running.kernel;
      const said = await guest.run(`kpatch-pm install -y --refresh "kpatch-patch-*-1-1" --kernel ${release}`, 300);
      assert.equal(said.status, 1, said.out + said.err);
      assert.match(
        said.err,
        /carries no signature, and this kernel takes signed modules only \(the kernel is locked down \(integrity\)\)/,
      );
      assert.equal(await guest.must(NOTHING), '');
    });
  } finally {
    await repository.close();
    rmSync(work, { recursive: true, force: true });
  }
}

export const signatureCases: readonly Case[] = [
  { name: 'signatures', about: 'a kernel that takes signed modules only', gate: true, run: signatures },
];
