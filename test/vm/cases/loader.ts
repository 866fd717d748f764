// The loader on a real kernel, called directly: what it does to the kernel, and what it says when the kernel refuses.
import assert from 'node:assert/strict';
import type { Case, Check } from '../check.ts';
import type { Guest } from '../machine.ts';
import { programFiles } from '../repository.ts';
import { guestProgram, kernel, level, type Prepared, VERSION } from '../world.ts';

export interface Reply {
  readonly result?: {
    readonly proved: boolean;
    readonly already: boolean;
    readonly loader: string;
    readonly seconds: number;
    readonly replaced: readonly string[];
    readonly notices: readonly unknown[];
  };
  readonly error?: {
    readonly code: string;
    readonly text: string;
    readonly hint: string | null;
    readonly cause?: { readonly tasks?: readonly { tid: number; comm: string; stack: string[] }[] };
  };
  readonly loaded: readonly { module: string; enabled: boolean; transition: boolean }[];
}

/** Calls the loader in the guest. */
export async function call(guest: Guest, verb: 'load' | 'unload', request: object, seconds = 240): Promise<Reply> {
  const text = JSON.stringify(request);
  const said = await guest.run(`node /payload/load.mjs ${verb} '${text}'`, seconds);
  assert.equal(said.status, 0, `${verb} ${text}: ${said.out}${said.err}`);
  return JSON.parse(said.out) as Reply;
}

async function ready(check: Check, prepared: Prepared, cpus: 1 | 2 = 1): Promise<Guest> {
  const files = { '/payload/modules': prepared.modules, '/payload/load.mjs': await guestProgram('load') };
  return check.boot({ kernel: prepared.kernel, files, cpus });
}

const file = (name: string): string => `payload/modules/${name}`;
const leftNothing = 'ls /sys/kernel/livepatch; lsmod | grep -E "^(kpatch|odd)" || true';

const replace: Case = {
  name: 'loader-replace',
  about: 'insmod, replace by a higher level, refuse a lower one, unload',
  gate: true,
  async run(check) {
    const prepared = kernel(0);
    const [one, two, ten] = ['1-1', '1-2', '1-10'].map((name) => level(prepared, name)) as [
      ReturnType<typeof level>,
      ReturnType<typeof level>,
      ReturnType<typeof level>,
    ];
    const guest = await ready(check, prepared, 2);
    await check.step('level 1-1 is loaded and proven', async () => {
      assert.doesNotMatch(await guest.must(VERSION), /patched/);
      const reply = await call(guest, 'load', { file: file(one.file), module: one.module });
      assert.deepEqual(reply.loaded, [{ module: one.module, enabled: true, transition: false }], JSON.stringify(reply));
      assert.equal(reply.result?.already, false);
      assert.match(await guest.must(VERSION), /\[patched 1-1\]/);
    });
    await check.step('loading it again changes nothing', async () => {
      const reply = await call(guest, 'load', { file: file(one.file), module: one.module });
      assert.equal(reply.result?.already, true);
    });
    await check.step('level 1-10 replaces 1-1, whose module leaves the kernel', async () => {
      const reply = await call(guest, 'load', { file: file(ten.file), module: ten.module });
      assert.deepEqual(reply.result?.replaced, [one.module]);
      assert.deepEqual(reply.result?.notices, []);
      assert.match(await guest.must(VERSION), /\[patched 1-10\]/);
      assert.doesNotMatch(await guest.must('lsmod'), new RegExp(`^${one.module} `, 'm'));
    });
    await check.step('the lower level 1-2 is refused', async () => {
      const reply = await call(guest, 'load', { file: file(two.file), module: two.module });
      assert.equal(reply.error?.code, 'newer-active');
      assert.match(await guest.must(VERSION), /\[patched 1-10\]/);
    });
    await check.step('another patch of other bytes under the same name is told apart', async () => {
      await guest.must(`cp /payload/modules/${ten.file} /tmp/other.ko`);
      await guest.must(`cd /tmp && sed -i 's/patched 1-10/patched 1-1X/' other.ko`);
      const wrong = await call(guest, 'load', { file: 'tmp/other.ko', module: ten.module, sha256: 'f'.repeat(64) });
      assert.equal(wrong.error?.code, 'module-changed');
    });
    await check.step('unloading leaves the kernel as it was', async () => {
      const reply = await call(guest, 'unload', { module: ten.module });
      assert.equal(reply.error, undefined, JSON.stringify(reply));
      assert.deepEqual(reply.loaded, []);
      assert.doesNotMatch(await guest.must(VERSION), /patched/);
      assert.equal(await guest.must(leftNothing), '');
      assert.equal((await call(guest, 'unload', { module: ten.module })).error?.code, 'not-loaded');
    });
    await check.step('a disabled module that is still in the kernel is loaded afresh', async () => {
      await guest.must(
        `insmod /payload/modules/${two.file}; sleep 3; echo 0 > /sys/kernel/livepatch/${two.module}/enabled; sleep 3`,
      );
      assert.match(await guest.must('lsmod'), new RegExp(`^${two.module} `, 'm'));
      const reply = await call(guest, 'load', { file: file(two.file), module: two.module });
      assert.equal(reply.result?.proved, true, JSON.stringify(reply));
      assert.match(await guest.must(VERSION), /\[patched 1-2\]/);
    });
  },
};

const REFUSALS: readonly { name: string; module: string; code: string; text: RegExp }[] = [
  { name: 'odd-release.ko', module: '', code: 'kernel-mismatch', text: /was built for kernel 7/ },
  { name: 'odd-truncated.ko', module: '', code: 'not-a-module', text: /./ },
  { name: 'odd-ordinary.ko', module: 'odd_ordinary', code: 'not-a-livepatch', text: /would patch nothing/ },
  { name: 'odd-vermagic.ko', module: '', code: 'load-refused-format', text: /version magic/ },
  { name: 'odd-nosuch.ko', module: 'odd_nosuch', code: 'load-refused-symbol', text: /marker_no_such_function/ },
  { name: 'odd-refuse.ko', module: 'odd_refuse', code: 'load-refused-init', text: /No such device/ },
  { name: 'odd-veto.ko', module: 'odd_veto', code: 'load-refused-init', text: /pre-patch callback failed/ },
];

const refusals: Case = {
  name: 'loader-refusals',
  about: 'every module the kernel or we must refuse, with the reason, and nothing left behind',
  gate: true,
  async run(check) {
    const prepared = kernel(0);
    const one = level(prepared, '1-1');
    const guest = await ready(check, prepared);
    for (const refusal of REFUSALS) {
      await check.step(`${refusal.name}: ${refusal.code}`, async () => {
        const module = refusal.module || one.module;
        const reply = await call(guest, 'load', { file: file(refusal.name), module });
        assert.equal(reply.error?.code, refusal.code, JSON.stringify(reply));
        assert.match(reply.error?.text ?? '', refusal.text);
        assert.ok(reply.error?.hint);
        assert.equal(await guest.must(leftNothing), '');
      });
    }
    await check.step('the kernel itself takes the module of another release: nobody but us refuses it', async () => {
      await guest.must(`insmod /payload/modules/odd-release.ko && sleep 2 && ${VERSION} | grep patched`);
    });
    await check.step('a file that is not the module in the kernel is told apart by its build id', async () => {
      const reply = await call(guest, 'load', { file: file('odd-buildid.ko'), module: one.module });
      assert.equal(reply.error?.code, 'module-differs', JSON.stringify(reply));
    });
  },
};

const stuck: Case = {
  name: 'loader-stuck',
  about: 'a module whose init hangs in the kernel: nobody waits for ever, nobody keeps the lock, the marker stays',
  gate: false,
  async run(check) {
    const prepared = kernel(0);
    const hang = await ready(check, prepared);
    await check.step('insmod cannot be ended: the loader says so after its time', async () => {
      const request = { file: file('odd-hang.ko'), module: 'odd_hang', times: { program: 5000 } };
      const reply = await call(hang, 'load', request);
      assert.equal(reply.error?.code, 'load-stuck', JSON.stringify(reply));
      assert.match(
        reply.error?.text ?? '',
        /insmod did not end within 5 s and was stopped, but it hangs in the kernel/,
      );
      // It really is there, killed and not dead.
      assert.match(await hang.must('ps -eo stat,comm | grep insmod'), /^D/);
      await hang.off();
    });
    const release = prepared.kernel.release;
    const guest = await check.boot({
      kernel: prepared.kernel,
      files: { ...programFiles(), '/payload/modules': prepared.modules },
    });
    await check.step('the program gives up after two minutes, keeps its marker and lets go of the lock', async () => {
      await guest.must(`kpatch-pm module install /payload/modules/odd-hang.ko`, 120);
      const said = await guest.run('kpatch-pm module load odd-hang.ko', 300);
      assert.equal(said.status, 1, said.out + said.err);
      assert.match(said.err, /The kernel does not come back from odd_hang/);
      assert.match(await guest.must('cat /var/lib/kpatch-pm/attempts.json'), /"module": "odd_hang"/);
      // Who wants the lock now gets it.
      assert.match((await guest.run('kpatch-pm quarantine clear nosuch', 60)).err, /is not in quarantine/);
      await guest.must(`kpatch-pm module uninstall -k ${release} odd-hang.ko`, 120);
    });
  },
};

export const loaderCases: readonly Case[] = [replace, refusals, stuck];
