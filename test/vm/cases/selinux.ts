// SELinux enforcing, with a policy of a few lines: a denied load is told as what it is, and through systemd the kpatch utility
// gets the domain that may.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { top } from '../../support/top.ts';
import type { Case, Check } from '../check.ts';
import { command } from '../command.ts';
import type { Guest, Said } from '../machine.ts';
import { scratch } from '../place.ts';
import { programFiles, Repository } from '../repository.ts';
import { SYSTEMD, systemdFiles, utilityFiles } from '../systemd.ts';
import { kernel, level, VERSION } from '../world.ts';

async function enforcing(check: Check): Promise<void> {
  const running = kernel(0);
  const one = level(running, '1-1');
  const work = scratch('policy');
  const policy = path.join(work, 'policy');
  command('secilc', [
    '-c',
    '33',
    '-o',
    policy,
    '-f',
    path.join(work, 'contexts'),
    path.join(top, 'test/vm/guest/policy.cil'),
  ]);
  const repository = await Repository.open({ prepared: running, level: '1-1' });
  const files = {
    ...systemdFiles(),
    ...utilityFiles(),
    ...programFiles(),
    ...repository.guestFiles(),
    '/usr/lib/kpm-test/policy': policy,
  };
  try {
    let guest: Guest;
    /** Runs a command as somebody who may not load modules. */
    const asPerson = (text: string): Promise<Said> =>
      guest.run(`echo -n u:r:person_t >/proc/self/attr/current && ${text}`, 300);
    await check.step(
      'a policy is loaded and enforced; nobody but the boot and the utility may feed modules',
      async () => {
        guest = await check.boot({ kernel: running.kernel, files, parameters: `${SYSTEMD} security=selinux` });
        await guest.must('chcon u:object_r:kpatch_exec_t /usr/sbin/kpatch && echo 1 >/sys/fs/selinux/enforce');
        assert.equal(await guest.must("tr -d '\\0' </proc/1/attr/current"), 'u:r:boot_t');
        assert.equal((await asPerson("tr -d '\\0' </proc/self/attr/current")).out, 'u:r:person_t');
      },
    );
    await check.step('the built-in loader is denied: not silently, but with the record of SELinux', async () => {
      await guest.must(
        "mkdir -p /etc/kpatch-pm && printf '[main]\\nloader = builtin\\n' >/etc/kpatch-pm/kpatch-pm.conf",
      );
      const said = await asPerson('kpatch-pm install -y');
      assert.equal(said.status, 1, said.out + said.err);
      assert.match(
        said.err,
        /SELinux does not let this program load modules \("avc: +denied +\{ module_load \} for .*person_t/,
      );
      assert.match(said.err, /loader=auto/);
      assert.doesNotMatch(await guest.must(VERSION), /patched/);
      // It stays installed: at boot kpatch.service may load it.
      assert.match(await guest.must(`ls -Z /var/lib/kpatch/*/${one.file}`), /u:object_r:modules_object_t/);
    });
    await check.step(
      'loader=auto: systemd starts the utility in its own domain, and the kernel is patched',
      async () => {
        await guest.must('rm /etc/kpatch-pm/kpatch-pm.conf');
        const said = await asPerson('kpatch-pm -v install -y');
        assert.equal(said.status, 0, said.out + said.err);
        assert.match(said.err, /the kpatch utility is started by systemd, in its own domain/);
        assert.equal(await guest.must('cat /run/kpatch-domain'), 'u:r:kpatch_t');
        assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
        assert.equal(await guest.must('kpatch-pm module list | head -2 | tail -1'), `${one.module} [enabled]`);
      },
    );
    await check.step('so do the words of the utility itself', async () => {
      await guest.must(`kpatch-pm module unload --yes ${one.module} && rm /run/kpatch-domain`, 300);
      const said = await asPerson(`kpatch-pm module load ${one.module}`);
      assert.equal(said.status, 0, said.out + said.err);
      assert.equal(await guest.must('cat /run/kpatch-domain'), 'u:r:kpatch_t');
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
    });
    await check.step('a level the kernel refuses is told the same way, and goes back', async () => {
      repository.publish({ prepared: running, level: '1-4' });
      const said = await asPerson('kpatch-pm upgrade -y --refresh');
      assert.equal(said.status, 1, said.out + said.err);
      assert.match(said.err, /marker_no_such_function/);
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
    });
  } finally {
    await repository.close();
    rmSync(work, { recursive: true, force: true });
  }
}

export const selinuxCases: readonly Case[] = [
  { name: 'selinux', about: 'SELinux enforces: denied loads and the domain that may', gate: true, run: enforcing },
];
