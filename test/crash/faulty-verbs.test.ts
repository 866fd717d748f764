// Whole command lines under failing system calls: configuration, keys, cache, download, lock, transaction and what follows
// it. Whatever fails, the run ends with a status and sentences, never a trace; the same command typed again, with nothing
// failing, ends where an undisturbed one does. KPATCH_PM_FAULTS=all tries every call, else some are taken, evenly spread.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { main } from '../../src/cli/main.ts';
import { type Errno, type Fault, withFault } from '../support/faults.ts';
import { FIXTURES, type FixtureServer, type ScratchRoot, scratchRoot, serveFixtures } from '../support/fixtures.ts';
import { surroundings } from '../support/surroundings.ts';
import { inCopy } from '../support/transactions.ts';
import { treeOf } from '../support/tree.ts';

const ALL = process.env.KPATCH_PM_FAULTS === 'all';
const SOME = process.env.KPATCH_PM_FAULTS === 'few' ? 3 : 9;
const ERRNOS: Readonly<Record<Fault['kind'], readonly Errno[]>> = {
  change: ['ENOSPC', 'EIO', 'EROFS', 'EACCES'],
  look: ['EIO', 'EACCES'],
};
const NAME = 'kpatch-patch-5_14_0-427_13_1';
const KEY = path.join(
  FIXTURES,
  'keys',
  readdirSync(path.join(FIXTURES, 'keys')).find((name) => name.endsWith('fixtures')) ?? '',
);

/** What is typed, and what was typed before. `again`: the status of the same command where its work is done. */
const VERBS: Readonly<Record<string, { before?: string[][]; type: string[]; again?: number }>> = {
  makecache: { type: ['makecache'] },
  clean: { before: [['makecache']], type: ['clean', 'all'] },
  auto: { type: ['auto', '-y'] },
  upgrade: { before: [['install', '-y', `${NAME}-1-1.el9_4`]], type: ['upgrade', '-y'] },
  // The second time nothing of that name is installed.
  remove: { before: [['install', '-y']], type: ['remove', '-y', NAME], again: 1 },
  manual: { before: [['auto', '-y']], type: ['manual'] },
  'keys import': { type: ['keys', 'import', KEY, '-y'] },
};

let server: FixtureServer;
let root: ScratchRoot;
beforeAll(async () => {
  server = await serveFixtures();
  root = scratchRoot({ url: server.url, rpmdb: false });
});
afterAll(async () => {
  root.remove();
  await server.close();
});

const now = new Date().toISOString();
async function run(directory: string, args: readonly string[]): Promise<{ status: number; err: string }> {
  const around = surroundings({ hostPath: '/', now });
  const status = await main([...args, '--installroot', directory], around);
  return { status, err: around.stderr.text };
}

/** A receipt without its URL: a package that an earlier run fetched is taken from the cache, which does not know from where. */
const withoutUrl = (directory: string, line: string): string => {
  const [file = ''] = line.split(' ');
  if (!/\/receipts\/.*\.json$/.test(file)) return line;
  return `${file} ${JSON.stringify({ ...JSON.parse(readFileSync(path.join(directory, file), 'utf8')), url: null })}`;
};

/** The machine, without what tells of the runs themselves, and without the cache, which any run may fill or not. */
const seen = (directory: string): string[] =>
  treeOf(directory, ['var/cache', 'var/lib/kpatch-pm/history'])
    .filter((line) => !/^var\/lib\/kpatch-pm\/lock/.test(line))
    // Half a key goes with the next run that changes something, see below; pins are proposed by the run that installs.
    .filter((line) => !/^var\/lib\/kpatch-pm\/(keys\/\..*\.tmp|pins\.json) /.test(line))
    .map((line) => withoutUrl(directory, line));

function* points(calls: number): Generator<number> {
  const step = ALL ? 1 : Math.max(1, Math.floor(calls / SOME));
  for (let at = 1; at <= calls; at += step) yield at;
}

test.each(Object.keys(VERBS))(
  '%s',
  async (name) => {
    const { before = [], type, again = 0 } = VERBS[name] as (typeof VERBS)[string];
    await inCopy(root.path, async (start) => {
      for (const args of before) expect(await run(start, args)).toMatchObject({ status: 0 });
      const after = await inCopy(start, async (copy) => {
        expect(await run(copy, type)).toMatchObject({ status: 0 });
        return seen(copy);
      });
      const wrong: string[] = [];
      for (const kind of ['change', 'look'] as const) {
        const never = { at: Number.POSITIVE_INFINITY, errno: 'EIO', kind, lasting: false } as const;
        const { calls } = await inCopy(start, (copy) => withFault(copy, never, () => run(copy, type)));
        expect(calls).toBeGreaterThan(2);
        for (const [n, at] of [...points(calls)].entries()) {
          const errno = ERRNOS[kind][n % ERRNOS[kind].length] as Errno;
          const fault: Fault = { at, errno, kind, lasting: n % 3 === 0 };
          await inCopy(start, async (copy) => {
            const { failed, ended } = await withFault(copy, fault, () => run(copy, type));
            const told = 'value' in ended ? ended.value : { status: -1, err: String(ended.error) };
            const tale = `${JSON.stringify({ ...fault, failed })}: ${told.status} ${told.err}`;
            if (![0, 1].includes(told.status) || /^\s+at |should not/m.test(told.err)) wrong.push(tale);
            else if (told.status === 1 && !/^Error: \S.*\.$/m.test(told.err)) wrong.push(`no sentence: ${tale}`);
            const mended = await run(copy, type);
            if (mended.status !== 0 && mended.status !== again)
              wrong.push(`then ${mended.status} ${mended.err}: ${tale}`);
            const end = seen(copy);
            const extra = end.filter((line) => !after.includes(line));
            const missing = after.filter((line) => !end.includes(line));
            if (extra.length + missing.length > 0) wrong.push(`+${extra.join(',')} -${missing.join(',')}: ${tale}`);
          });
        }
      }
      expect(wrong).toEqual([]);
    });
  },
  1_200_000,
);

test('half a key that a killed import left behind goes with the next run that changes something', async () => {
  await inCopy(root.path, async (copy) => {
    expect(await run(copy, ['keys', 'import', KEY, '-y'])).toMatchObject({ status: 0 });
    const keys = path.join(copy, 'var/lib/kpatch-pm/keys');
    const whole = readdirSync(keys);
    writeFileSync(path.join(keys, `.${whole[0]}.0123456789ab.tmp`), 'half');
    expect(await run(copy, ['auto', '-y'])).toMatchObject({ status: 0 });
    expect(readdirSync(keys)).toEqual(whole);
  });
});

test('a cache that does not shrink after the work is no failure of it', async () => {
  await inCopy(root.path, async (copy) => {
    const only = /^unlinkSync \/var\/cache\/.*\.rpm$/;
    const fault: Fault = { at: 1, errno: 'EIO', kind: 'change', lasting: true, only };
    const { failed, ended } = await withFault(copy, fault, () => run(copy, ['auto', '-y']));
    expect(failed).toMatch(only);
    expect(ended).toEqual({ value: { status: 0, err: expect.not.stringContaining('Error: ') } });
    expect(readdirSync(path.join(copy, 'var/lib/kpatch-pm'))).toContain('pins.json');
  });
});
