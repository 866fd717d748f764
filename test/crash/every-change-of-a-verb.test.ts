// A whole verb is stopped before its n-th change of the file system. The next run finishes or forgets the transaction that
// was open: what is installed is then as it is between two transactions of an undisturbed run, each of them is in the
// history once, and the same verb typed again comes to the same end. KPATCH_PM_CHANGES=all stops before every change; CI
// stops before some, spread over the whole run, and before those around each commit.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { JOURNAL } from '../../src/state/journal.ts';
import { needs } from '../support/programs.ts';
import { inCopy } from '../support/transactions.ts';
import { doneActions, essence, machineIn, recovered, rootFor, VERBS } from '../support/verb-runs.ts';

class Stopped extends Error {}

const ALL = process.env.KPATCH_PM_CHANGES === 'all';
/** Places beside those around the commits. */
const SPREAD = 3;
/** Milliseconds; a campaign takes its time. */
const LIMIT = ALL ? 1_800_000 : 180_000;

interface Undisturbed {
  readonly changes: number;
  /** Numbers of the changes that write a journal: the commit points. */
  readonly commits: readonly number[];
  /** What there is between the transactions, the state before and the last one among them; with the actions done by then. */
  readonly between: ReadonlyMap<string, number>;
  readonly after: string;
  readonly done: number;
}

const asText = async (root: string, rpm: boolean): Promise<string> => (await essence(root, rpm)).join('\n');

/** Runs a verb to its end and notes what there is whenever no transaction is open. */
async function undisturbed(name: string, root: string): Promise<Undisturbed> {
  const { run, rpm = false } = VERBS[name] as (typeof VERBS)[string];
  const commits: number[] = [];
  const stops: number[] = [];
  let changes = 0;
  const after = await inCopy(root, async (copy) => {
    await run(
      machineIn(copy, (what, file) => {
        changes++;
        if (file !== JOURNAL) return;
        if (what === 'write') commits.push(changes);
        else stops.push(changes);
      }),
    );
    return { text: await asText(copy, rpm), done: doneActions(copy) };
  });
  const between = new Map<string, number>();
  await inCopy(root, async (copy) => {
    await recovered(copy);
    between.set(await asText(copy, rpm), doneActions(copy));
  });
  for (const n of stops) {
    await inCopy(root, async (copy) => {
      await stopped(name, copy, n);
      await recovered(copy);
      between.set(await asText(copy, rpm), doneActions(copy));
    });
  }
  between.set(after.text, after.done);
  return { changes, commits, between, after: after.text, done: after.done };
}

async function stopped(name: string, root: string, n: number): Promise<boolean> {
  let changes = 0;
  // Whoever is dead changes nothing more.
  const machine = machineIn(root, () => {
    if (++changes >= n) throw new Stopped();
  });
  try {
    await VERBS[name]?.run(machine);
    return false;
  } catch (error) {
    if (error instanceof Stopped) return true;
    throw error;
  }
}

/** Before which changes the run is stopped. */
function places({ changes, commits }: Undisturbed): number[] {
  const all = Array.from({ length: changes }, (_, n) => n + 1);
  if (ALL) return all;
  const step = Math.max(1, Math.floor(changes / SPREAD));
  return all.filter((n) => n % step === 1 || n === changes || commits.some((at) => n === at || n === at + 1));
}

async function stopEverywhere(name: string): Promise<void> {
  const { before, run, rpm = false } = VERBS[name] as (typeof VERBS)[string];
  const root = rootFor(rpm);
  try {
    await recovered(root.path);
    for (const earlier of before) await earlier(machineIn(root.path));
    const whole = await undisturbed(name, root.path);
    for (const n of places(whole)) {
      await inCopy(root.path, async (copy) => {
        expect(await stopped(name, copy, n)).toBe(true);
        await recovered(copy);
        expect({ n, journal: existsSync(path.join(copy, JOURNAL)) }).toEqual({ n, journal: false });
        const text = await asText(copy, rpm);
        // Neither lost nor doubled: as many actions are recorded as this state is the result of.
        expect({ n, done: doneActions(copy) }).toEqual({ n, done: whole.between.get(text) ?? `not for ${text}` });
        await run(machineIn(copy));
        expect({ n, text: await asText(copy, rpm) }).toEqual({ n, text: whole.after });
        expect({ n, done: doneActions(copy) }).toEqual({ n, done: whole.done });
      });
    }
    expect(whole.changes).toBeGreaterThan(1);
    if (ALL) console.log(`${name}: stopped before each of ${whole.changes} changes, ${whole.commits.length} commits`);
  } finally {
    root.remove();
  }
}

const names = (wanted: boolean): string[] =>
  Object.keys(VERBS).filter((name) => (VERBS[name]?.rpm ?? false) === wanted);

describe('a verb stopped before its changes', () => {
  test.each(names(false))('%s', stopEverywhere, LIMIT);
});

needs('rpm')('a verb that tells the rpm database stopped before its changes', () => {
  test.each(names(true))('%s', stopEverywhere, LIMIT);
});
