// The plug is pulled at random moments of `auto`: QEMU is killed, so what the guest had not flushed is lost. Afterwards only
// whole files lie below /var/lib/kpatch, one of them at least, and the next run ends where an undisturbed one does.
// KPATCH_PM_CUTS says how many (30 make a recorded campaign), KPATCH_PM_SEED which sequence of moments.
import assert from 'node:assert/strict';
import type { Case, Check } from '../check.ts';
import { Disk } from '../disk.ts';
import type { Guest } from '../machine.ts';
import { programFiles, Repository } from '../repository.ts';
import { kernel, level, VERSION } from '../world.ts';

const CUTS = Number(process.env.KPATCH_PM_CUTS ?? 5);
const SEED = Number(process.env.KPATCH_PM_SEED ?? 1);
const AUTO = 'kpatch-pm auto -y --refresh';
/** Asked after the cut, before anything recovers: how far had it come? */
const FOUND = [
  'ls -A /var/cache/kpatch-pm 2>/dev/null | grep -q . && echo cache',
  'compgen -G "/var/lib/kpatch-pm/staging/*" >/dev/null && echo staged',
  '[ -s /var/lib/kpatch-pm/journal.json ] && echo journal',
  'true',
].join('\n');

/** Numbers from 0 to 1, the same sequence for the same seed (Park and Miller's generator; neighbours begin far apart). */
function* fractions(seed: number): Generator<number, never> {
  const next = (state: number): number => (state * 48271) % 2147483647;
  for (let state = next(next(next(seed))); ; state = next(state)) yield state / 2147483647;
}

/** Runs `auto` and has the machine reset a random time after its bytes were staged; the moments that matter are short. */
const cutAfterStaging = (milliseconds: number): string =>
  [
    `${AUTO} >/tmp/out 2>&1 & auto=$!`,
    'until compgen -G "/var/lib/kpatch-pm/staging/*" >/dev/null; do kill -0 $auto 2>/dev/null || break; done',
    `sleep ${(milliseconds / 1000).toFixed(3)}`,
    'echo b > /proc/sysrq-trigger; sleep 60',
  ].join('\n');

async function randomCuts(check: Check): Promise<void> {
  const running = kernel(0);
  const { release } = running.kernel;
  const [one, two] = [level(running, '1-1'), level(running, '1-2')];
  const fresh = `/var/lib/kpatch/${release}/${two.file}`;
  const repository = await Repository.open({ prepared: running, level: '1-1' });
  const [before, disk] = [new Disk(), new Disk()];
  const files = { ...programFiles(), ...repository.guestFiles(), '/payload/modules': running.modules };
  const boot = (image: Disk): Promise<Guest> =>
    check.boot({ kernel: running.kernel, files, disk: image.image, cpus: 2 });
  const whole = new Set<string>();
  let [span, rest] = [0, 0];
  try {
    await check.step('level 1-1 is installed, and an undisturbed upgrade is measured', async () => {
      const guest = await boot(before);
      const said = await guest.run('kpatch-pm auto -y && sync', 300);
      assert.equal(said.status, 0, said.out + said.err);
      for (const { file } of [one, two]) whole.add((await guest.must(`sha256sum < /payload/modules/${file}`)).trim());
      await guest.off();
      repository.publish({ prepared: running, level: '1-2' });
      disk.copyOf(before);
      const again = await boot(disk);
      const watch = 'until compgen -G "/var/lib/kpatch-pm/staging/*" >/dev/null; do :; done; date +%s%N';
      const begin = Date.now();
      const [staged, end] = (await again.must(`(${watch}) & ${AUTO} >&2; wait; date +%s%N`, 300))
        .split('\n')
        .map(Number);
      span = Date.now() - begin;
      rest = ((end as number) - (staged as number)) / 1e6;
      await again.off();
    });
    const random = fractions(SEED);
    for (let n = 1; n <= CUTS; n++) {
      // Every second one falls between staging and the end, a small part of a run, and mostly early in it.
      const late = n % 2 === 0;
      const fraction = random.next().value;
      const delay = late ? fraction ** 3 * rest : fraction * span;
      const when = `${delay.toFixed(0)} ms after ${late ? 'its bytes were staged' : 'it was started'}`;
      let found = '';
      await check.step(`cut ${n} of ${CUTS}, ${when}`, async () => {
        disk.copyOf(before);
        const cut = await boot(disk);
        const said = cut.run(late ? cutAfterStaging(delay) : AUTO, 300).catch(() => null);
        if (!late) await Promise.race([said, new Promise((resolve) => setTimeout(resolve, delay))]);
        else assert.ok(await cut.ends(120), 'the machine is still on');
        await cut.off();
        const guest = await boot(disk);
        const lines = await guest.must(
          'find /var/lib/kpatch -type f -printf "%f "  -exec sh -c \'sha256sum < "$1"\' - {} \\;',
        );
        assert.notEqual(lines, '', 'the old level is gone and the new one not there');
        for (const line of lines.split('\n')) {
          const [file = '', ...sum] = line.split(' ');
          assert.ok(whole.has(sum.join(' ').trim()), `${file} is not whole`);
        }
        const names = lines.split('\n').map((line) => (line.includes(two.file) ? 'new' : 'old'));
        found = [...(await guest.must(FOUND)).split('\n').filter(Boolean), ...names].join(', ');
        const recovered = await guest.run(AUTO, 300);
        assert.equal(recovered.status, 0, recovered.out + recovered.err);
        assert.match(await guest.must(VERSION), /\[patched 1-2\]/);
        assert.equal(await guest.must('find /var/lib/kpatch -type f'), fresh);
        assert.equal(await guest.must('ls -A /var/lib/kpatch-pm | grep -E "journal|staging|tmp" || true'), '');
        await guest.off();
      });
      console.log(`        found: ${found}`);
    }
  } finally {
    before.remove();
    disk.remove();
    await repository.close();
  }
}

export const randomCutCases: readonly Case[] = [
  { name: 'random-cuts', about: `the power fails ${CUTS} times at random`, gate: true, run: randomCuts },
];
