// The answers on a real kernel: what verify reads in sysfs and in the function tracer is what the kernel does.
import assert from 'node:assert/strict';
import type { Case, Check } from '../check.ts';
import { programFiles, Repository } from '../repository.ts';
import { kernel, level } from '../world.ts';

interface Verified {
  readonly proof: string;
  readonly first: { readonly name: string; readonly mend: string | null } | null;
  readonly layers: readonly { readonly name: string; readonly state: string; readonly text: string }[];
}

async function evidence(check: Check): Promise<void> {
  const running = kernel(0);
  const one = level(running, '1-1');
  const repository = await Repository.open({ prepared: running, level: '1-1' });
  try {
    const guest = await check.boot({
      kernel: running.kernel,
      files: { ...programFiles(), ...repository.guestFiles() },
    });
    const verify = async (): Promise<Verified & { readonly status: number }> => {
      const said = await guest.run('kpatch-pm verify --json');
      assert.ok(said.out.startsWith('{'), said.out + said.err);
      const [found] = JSON.parse(said.out).kernels as Verified[];
      assert.ok(found, said.out);
      return { ...found, status: said.status };
    };
    const layer = (found: Verified, name: string) => found.layers.find((entry) => entry.name === name);
    await check.step('nothing installed: not protected, and how to mend it', async () => {
      await guest.must('kpatch-pm makecache -q');
      const found = await verify();
      assert.deepEqual([found.status, found.first?.name, found.first?.mend], [1, 'repository', 'kpatch-pm install']);
    });
    await check.step('after auto: protected; build id and function tracer agree', async () => {
      await guest.run('mount -t tracefs tracefs /sys/kernel/tracing');
      await guest.must('kpatch-pm auto -y -q', 300);
      const found = await verify();
      assert.deepEqual([found.status, found.proof], [0, 'protected'], JSON.stringify(found));
      assert.match(layer(found, 'kernel')?.text ?? '', /build id equal to the file/);
      const traced = await guest.run('cat /sys/kernel/tracing/enabled_functions');
      if (traced.status === 0) {
        assert.match(layer(found, 'functions')?.text ?? '', /each redirected/, traced.out + JSON.stringify(found));
      }
    });
    await check.step('metrics and nagios say the same', async () => {
      assert.match(await guest.must('kpatch-pm metrics'), /^kpatch_pm_protected\{kernel="[^"]+"\} 1$/m);
      assert.match(await guest.must('kpatch-pm metrics --nagios'), /^KPATCH OK /);
      assert.equal((await guest.run('kpatch-pm needs-reboot')).status, 0);
    });
    await check.step('disabled behind our back: the kernel layer is the broken one', async () => {
      await guest.must(`echo 0 > /sys/kernel/livepatch/${one.module}/enabled; sleep 3`);
      const found = await verify();
      assert.deepEqual([found.status, found.first?.name], [1, 'kernel'], JSON.stringify(found));
      assert.equal((await guest.run('kpatch-pm metrics --nagios')).status, 2);
    });
  } finally {
    await repository.close();
  }
}

export const evidenceCases: readonly Case[] = [
  { name: 'evidence', about: 'verify, metrics and needs-reboot against a real kernel', gate: false, run: evidence },
];
