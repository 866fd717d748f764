// A module of one's own on a real kernel: installed, loaded and proven in one step; what the kernel refuses leaves again.
import assert from 'node:assert/strict';
import type { Case } from '../check.ts';
import { programFiles } from '../repository.ts';
import { kernel, level, VERSION } from '../world.ts';

const own: Case = {
  name: 'own-module',
  about: 'install FILE.ko -k KVER: loaded and proven; refused by the kernel: taken away again',
  gate: true,
  async run(check) {
    const prepared = kernel(0);
    const one = level(prepared, '1-1');
    const { release } = prepared.kernel;
    const guest = await check.boot({
      kernel: prepared.kernel,
      files: { ...programFiles(), '/payload/modules': prepared.modules },
    });
    const there = `ls /var/lib/kpatch/${release} 2>/dev/null || true`;
    await check.step('without --nogpgcheck it is refused, and nothing is done', async () => {
      const said = await guest.run(`kpatch-pm -y install -k ${release} /payload/modules/${one.file}`, 120);
      assert.equal(said.status, 1, said.out + said.err);
      assert.match(said.err, /nobody vouches for it/);
      assert.equal(await guest.must(there), '');
    });
    await check.step('it is installed, loaded and proven', async () => {
      const said = await guest.run(`kpatch-pm -y --nogpgcheck install -k ${release} /payload/modules/${one.file}`, 120);
      assert.equal(said.status, 0, said.out + said.err);
      assert.match(said.err, /NOT VERIFIED/);
      assert.match(said.err, new RegExp(`${one.module} is active after`));
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
      assert.equal((await guest.must(there)).trim(), one.file);
    });
    await check.step('status says whose it is', async () => {
      const status = JSON.parse(await guest.must('kpatch-pm status --json', 120));
      const [shown] = status.kernels.filter((one: { running: boolean }) => one.running);
      assert.deepEqual(
        shown.installed.map((patch: { support: string; nevra: null }) => [patch.support, patch.nevra]),
        [['own', null]],
      );
    });
    await check.step('a module that the kernel refuses leaves again, and the other stays', async () => {
      const said = await guest.run(
        `kpatch-pm -y --nogpgcheck install -k ${release} /payload/modules/odd-refuse.ko`,
        120,
      );
      assert.equal(said.status, 1, said.out + said.err);
      assert.match(said.err, /odd-refuse\.ko was taken away again/);
      assert.equal((await guest.must(there)).trim(), one.file);
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
    });
  },
};

export const ownCases: readonly Case[] = [own];
