// The main job on a real kernel: the built program, a signed package, HTTP, and the kernel's behaviour before and after.
import assert from 'node:assert/strict';
import type { Case, Check } from '../check.ts';
import type { Guest } from '../machine.ts';
import { programFiles, Repository } from '../repository.ts';
import { kernel, level, VERSION } from '../world.ts';

export interface KernelStatus {
  readonly release: string;
  readonly running: boolean;
  readonly installed: readonly { module: string; source: string }[];
  readonly loaded: readonly { module: string; enabled: boolean; transition: boolean }[];
  readonly verdict: string;
}

/** The kernels of `status --json`. */
export async function kernelsOf(guest: Guest): Promise<readonly KernelStatus[]> {
  return JSON.parse(await guest.must('kpatch-pm status --json')).kernels;
}

async function withRepository(repository: Repository, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } finally {
    await repository.close();
  }
}

async function autoOverHttp(check: Check): Promise<void> {
  const running = kernel(0);
  const { release } = running.kernel;
  const [one, two] = [level(running, '1-1'), level(running, '1-2')];
  const repository = await Repository.open({ prepared: running, level: null }, { prepared: running, level: '1-1' });
  await withRepository(repository, async () => {
    const guest = await check.boot({
      kernel: running.kernel,
      files: { ...programFiles(), ...repository.guestFiles() },
    });
    const of = async (): Promise<KernelStatus | undefined> =>
      (await kernelsOf(guest)).find((kernel) => kernel.release === release);
    await check.step('before: the kernel is unpatched and status says so', async () => {
      assert.doesNotMatch(await guest.must(VERSION), /patched/);
      await guest.must('kpatch-pm makecache -q');
      const kernel = await of();
      assert.deepEqual([kernel?.running, kernel?.verdict], [true, 'not-installed'], JSON.stringify(kernel));
    });
    await check.step('auto -y over HTTP: the behaviour of the kernel changes', async () => {
      const said = await guest.run('kpatch-pm auto -y', 300);
      assert.equal(said.status, 0, said.out + said.err);
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/, said.out + said.err);
      assert.equal(await guest.must(`cat /sys/kernel/livepatch/${one.module}/{enabled,transition}`), '1\n0');
    });
    await check.step('no scriptlet ran, nothing but the module lies below /var/lib/kpatch', async () => {
      assert.equal(await guest.must('find /scriptlet-has-run 2>/dev/null || true'), '');
      assert.equal(await guest.must('find /var/lib/kpatch -type f'), `/var/lib/kpatch/${release}/${one.file}`);
    });
    await check.step('after: status says protected, a second auto finds nothing to do', async () => {
      const kernel = await of();
      assert.equal(kernel?.verdict, 'protected', JSON.stringify(kernel));
      assert.deepEqual(kernel?.loaded, [{ module: one.module, enabled: true, transition: false }]);
      const again = await guest.run('kpatch-pm auto --json');
      assert.equal(again.status, 0, again.out + again.err);
      const plan = JSON.parse(again.out);
      assert.deepEqual(plan.actions, []);
      assert.deepEqual(
        plan.skipped.map((entry: { kernel: string; because: { code: string } }) => [entry.kernel, entry.because.code]),
        [[release, 'up-to-date']],
      );
    });
    await check.step('a higher level appears: auto replaces the patch on disk and in the kernel', async () => {
      repository.publish({ prepared: running, level: '1-2' });
      const said = await guest.run('kpatch-pm auto -y --refresh', 300);
      assert.equal(said.status, 0, said.out + said.err);
      assert.match(await guest.must(VERSION), /\[patched 1-2\]/);
      assert.equal(await guest.must('ls /sys/kernel/livepatch'), two.module);
      assert.equal(await guest.must('find /var/lib/kpatch -type f'), `/var/lib/kpatch/${release}/${two.file}`);
      assert.equal((await of())?.verdict, 'protected');
    });
    await check.step('a level the kernel refuses leaves again, on disk as in the kernel', async () => {
      repository.publish({ prepared: running, level: '1-4' });
      const said = await guest.run('kpatch-pm auto -y --refresh', 300);
      assert.equal(said.status, 1, said.out + said.err);
      assert.match(said.err, /marker_no_such_function/);
      assert.match(await guest.must(VERSION), /\[patched 1-2\]/);
      assert.equal(await guest.must('ls /sys/kernel/livepatch'), two.module);
      assert.equal(await guest.must('find /var/lib/kpatch -type f'), `/var/lib/kpatch/${release}/${two.file}`);
    });
  });
}

export const jobCases: readonly Case[] = [
  { name: 'auto', about: 'the built program over HTTP into a real kernel', gate: true, run: autoOverHttp },
];
