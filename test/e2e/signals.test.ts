// Signals and closed streams against the built program, on both sides of the commit point. Before it: a server that holds a
// package back. After it: rpm's lock, held by somebody else, at which the transaction waits in its middle.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type BuiltProgram, builtProgram, ended } from '../support/built-program.ts';
import {
  FIXTURES,
  type FixtureServer,
  KERNELS,
  type ScratchRoot,
  scratchRoot,
  serveFixtures,
} from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';
import { treeOf } from '../support/tree.ts';

const { K1, K2 } = KERNELS;
const JOURNAL = 'var/lib/kpatch-pm/journal.json';
const ACTIVE = `var/lib/kpatch/${K1}/kpatch-5_14_0-427_13_1-1-2.ko`;
const FIXTURE_KEY = path.join(FIXTURES, 'keys', 'RPM-GPG-KEY-fixtures');
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const HEARD = 'what was begun is finished first; a second signal ends at once.';

let program: BuiltProgram;
let server: FixtureServer;
let root: ScratchRoot;
/** What an answer of the server waits for. */
let hold: (name: string) => Promise<void> | void;
beforeAll(async () => {
  program = builtProgram();
  server = await serveFixtures(undefined, (name) => hold(name));
});
afterAll(async () => {
  program.remove();
  await server.close();
});
beforeEach(() => {
  hold = () => undefined;
  root = scratchRoot({ url: server.url });
});
afterEach(() => root.remove());

const start = (...args: string[]): ChildProcess => program.start([...args, '--installroot', root.path]);
/** Everything but the cache, and our own directory as far as a run that changes nothing leaves it behind. */
const tree = (): string[] =>
  treeOf(root.path, ['var/cache', 'var/lib/rpm']).filter((line) => !/^var\/lib\/kpatch-pm(\/lock|\/? )/.test(line));

async function until(what: () => boolean, child: ChildProcess): Promise<void> {
  while (!what()) {
    if (child.exitCode !== null) throw new Error(`it ended first, with ${child.exitCode}`);
    await pause(5);
  }
}

/** Resolves when the child has said these words on standard error. */
function says(child: ChildProcess, words: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr?.on('data', (chunk) => {
      text += chunk;
      if (text.includes(words)) resolve();
    });
    child.once('close', () => reject(new Error(`it ended without saying so:\n${text}`)));
  });
}

describe('before the commit point', () => {
  test.each(SIGNALS)('%s while a package is on its way: nothing is changed', async (signal) => {
    const was = tree();
    let asked = (): void => {};
    const requested = new Promise<void>((resolve) => {
      asked = resolve;
    });
    hold = (name) => {
      if (!name.endsWith('.rpm')) return;
      asked();
      return new Promise(() => {});
    };
    const child = start('auto', '-y', '--json');
    const end = ended(child);
    await Promise.race([requested, end]);
    child.kill(signal);
    const { status, out, err } = await end;
    expect(status).toBe(1);
    expect(err).toContain(`Interrupted (${signal}).`);
    const said = JSON.parse(out) as { actions: { outcome: string }[]; error: { code: string } };
    expect(said.error.code).toBe('aborted');
    expect(new Set(said.actions.map(({ outcome }) => outcome))).toEqual(new Set(['not-run']));
    expect(tree()).toEqual(was);
    hold = () => undefined;
    expect((await ended(start('auto', '-y'))).status).toBe(0);
    expect(existsSync(root.at(ACTIVE))).toBe(true);
  });
});

needs('rpm', 'flock')('after the commit point', () => {
  let holder: ChildProcess | null = null;
  /** Whoever holds rpm's transaction lock is waited for. */
  const holdRpm = async (): Promise<void> => {
    const script = 'echo held; read -r _';
    holder = spawn('/usr/bin/flock', [root.at('var/lib/rpm/.rpm.lock'), '/bin/sh', '-c', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(holder.stdout as NodeJS.ReadableStream, 'data');
  };
  const letGo = async (): Promise<void> => {
    const held = holder;
    holder = null;
    if (held === null) return;
    held.stdin?.end();
    if (held.exitCode === null) await once(held, 'close');
  };
  afterEach(letGo);

  /** `auto`, waiting in the middle of its first transaction. */
  async function committed(...more: string[]): Promise<ChildProcess> {
    await holdRpm();
    const child = start('auto', '-y', ...more);
    await inTheMiddle(child);
    return child;
  }

  const inTheMiddle = (child: ChildProcess): Promise<void> =>
    until(() => existsSync(root.at(JOURNAL)) && existsSync(root.at(ACTIVE)), child);

  test.each(SIGNALS)('%s: what was begun is finished, what was not is left out', async (signal) => {
    const child = await committed('--json');
    const end = ended(child);
    const heard = says(child, HEARD);
    child.kill(signal);
    await heard;
    expect(existsSync(root.at(JOURNAL))).toBe(true);
    await letGo();
    const { status, out, err } = await end;
    expect(status).toBe(1);
    expect(err).not.toMatch(/^\s+at /m);
    const said = JSON.parse(out) as {
      actions: { do: string; kernel?: string; outcome: string }[];
      error: { code: string };
    };
    expect(said.error.code).toBe('interrupted');
    expect(said.actions.map((action) => [action.do, action.kernel ?? null, action.outcome])).toEqual([
      ['install', K1, 'done'],
      // Both packages are one transaction: they were begun together.
      ['install', K2, 'done'],
      ['setting', null, 'not-run'],
    ]);
    expect(existsSync(root.at(JOURNAL))).toBe(false);
    expect(existsSync(root.at('var/lib/kpatch-pm/staging'))).toBe(false);
    const rest = await ended(start('auto', '-y', '--json'));
    expect(rest.status).toBe(0);
    const actions = (JSON.parse(rest.out) as typeof said).actions.map((action) => [action.do, action.outcome]);
    expect(actions).toEqual([['setting', 'done']]);
  });

  test('nothing is left when it comes in the last transaction: the report is whole, the status tells of the signal', async () => {
    await holdRpm();
    const child = start('install', '-y', '--json');
    const end = ended(child);
    await inTheMiddle(child);
    const heard = says(child, HEARD);
    child.kill('SIGTERM');
    await heard;
    await letGo();
    const { status, out, err } = await end;
    expect(status).toBe(1);
    expect(err).toContain('Interrupted (SIGTERM): what was begun was finished, and nothing is left.');
    const said = JSON.parse(out) as { actions: { outcome: string }[]; error: { code: string } };
    expect([said.actions.map(({ outcome }) => outcome), said.error.code]).toEqual([['done', 'done'], 'interrupted']);
  });

  test('a second signal ends it where it is and says what is left; the next run finishes that', async () => {
    const child = await committed();
    const end = ended(child);
    const heard = says(child, HEARD);
    child.kill('SIGINT');
    await heard;
    // One ^C may arrive twice: only what comes later is a second one.
    await pause(600);
    child.kill('SIGINT');
    const { status, err } = await end;
    expect(status).toBe(1);
    expect(err).toContain('Interrupted again (SIGINT), so the run ended where it was.');
    expect(err).toContain('What was begun is written down: the next run that changes something finishes it first');
    expect(existsSync(root.at(JOURNAL))).toBe(true);
    await letGo();
    const next = await ended(start('install', '-y'));
    expect([next.status, next.err]).toEqual([0, expect.stringContaining('Finishing what was begun at ')]);
    expect(existsSync(root.at(JOURNAL))).toBe(false);
  });

  /** A service that may work, with both kernels in its queue. */
  const QUEUE = 'var/lib/kpatch-pm/queue';
  const queued = async (): Promise<void> => {
    mkdirSync(root.at('etc/dnf/plugins'), { recursive: true });
    writeFileSync(root.at('etc/dnf/plugins/kpatch.conf'), '[main]\nautoupdate=True\n');
    expect((await ended(start('keys', 'import', '-y', FIXTURE_KEY))).status).toBe(0);
    mkdirSync(root.at(QUEUE), { mode: 0o700 });
    for (const kernel of [K1, K2]) {
      const entry = { format: 1, event: 'add', since: '2026-01-01T00:00:00.000Z', id: '0123456789ab' };
      writeFileSync(root.at(`${QUEUE}/${kernel}.json`), JSON.stringify(entry), { mode: 0o600 });
    }
  };

  test('the service takes off its queue what it did before it was interrupted', async () => {
    await queued();
    // The service looks at rpm's lock before it begins, so that is taken once packages are on their way.
    hold = async (name) => {
      if (name.endsWith('.rpm') && !holder) await holdRpm();
    };
    const child = start('service', 'run');
    const end = ended(child);
    const heard = says(child, HEARD);
    await inTheMiddle(child);
    child.kill('SIGTERM');
    await heard;
    await letGo();
    expect((await end).status).toBe(1);
    expect(readdirSync(root.at(QUEUE))).toEqual([]);
  });

  test('the service keeps kernels in its queue whose turn did not come', async () => {
    await queued();
    let asked = (): void => {};
    const requested = new Promise<void>((resolve) => {
      asked = resolve;
    });
    hold = (name) => {
      if (!name.endsWith('.rpm')) return;
      asked();
      return new Promise(() => {});
    };
    const child = start('service', 'run');
    const end = ended(child);
    await Promise.race([requested, end]);
    child.kill('SIGTERM');
    expect((await end).status).toBe(1);
    expect(readdirSync(root.at(QUEUE))).toEqual([K1, K2].map((kernel) => `${kernel}.json`));
  });

  test('signals that come at once, as a terminal and a parent may send them, are one', async () => {
    const child = await committed();
    const end = ended(child);
    const heard = says(child, HEARD);
    // It is asleep while they come, so that it hears them together however busy the machine is.
    child.kill('SIGSTOP');
    for (const signal of SIGNALS) child.kill(signal);
    child.kill('SIGCONT');
    await heard;
    await letGo();
    expect((await end).err).not.toContain('Interrupted again');
    expect(existsSync(root.at(JOURNAL))).toBe(false);
    expect(existsSync(root.at(ACTIVE))).toBe(true);
  });

  test.each([
    ['standard output', ['stdout']],
    ['both streams', ['stdout', 'stderr']],
  ] as const)('a reader of %s that goes away does not end it', async (_, streams) => {
    const child = await committed();
    for (const stream of streams) child[stream]?.destroy();
    const end = once(child, 'exit');
    await letGo();
    expect(await end).toEqual([0, null]);
    expect(existsSync(root.at(JOURNAL))).toBe(false);
    const after = await ended(start('auto', '-y', '--json'));
    expect((JSON.parse(after.out) as { actions: unknown[] }).actions).toEqual([]);
  });
});
