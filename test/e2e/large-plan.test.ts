// Many large packages in one plan: the built program over real HTTP holds a few of them in memory, not all, and what it
// keeps on disk meanwhile is gone afterwards, also after a kill.

import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type BuiltProgram, builtProgram, ended } from '../support/built-program.ts';
import { type Cdn, startCdn } from '../support/cdn.ts';
import { repoText, type ScratchRoot, scratchRoot } from '../support/fixtures.ts';
import { sha256 } from '../support/forge-rpm.ts';
import { largePackage } from '../support/large.ts';
import { makeRepo, livePatch as offer, serveRepo } from '../support/repodata.ts';

const MB = 1024 * 1024;
const SIZE = 12 * MB;
const KERNELS = Array.from({ length: 20 }, (_, n) => `5.14.0-${n + 1}.el9.x86_64`);
/** Each package is held twice, packed and open: all of them together are 480 MB. */
const MOST = 340 * MB;

/** As for killed-auto.test.ts. */
const KILLS = Number(process.env.KPATCH_PM_KILLS ?? (process.env.CI === 'true' ? 6 : 3));

let program: BuiltProgram;
let cdn: Cdn;
/** A directory with the packages. */
let files: string;
/** SHA-256 of each kernel's module. */
const modules = new Map<string, string>();
beforeAll(async () => {
  program = builtProgram();
  cdn = await startCdn();
  const noise = randomBytes(SIZE);
  const packages = KERNELS.map((kernel) => {
    const { file, data, bytes } = largePackage(kernel, noise);
    modules.set(`${kernel}/${file}`, sha256(data));
    return offer(kernel, '1-1', { bytes, installed: data.length });
  });
  const repo = makeRepo(packages);
  serveRepo(cdn, '/large', repo);
  files = mkdtempSync(path.join(os.tmpdir(), 'kpm-large-'));
  for (const [name, content] of repo.files) {
    if (name.endsWith('.rpm')) writeFileSync(path.join(files, path.basename(name)), content);
  }
});
afterAll(async () => {
  program.remove();
  rmSync(files, { recursive: true });
  await cdn.close();
});

const root = (): ScratchRoot =>
  scratchRoot({ url: cdn.url, kernels: KERNELS, rpmdb: false, repos: repoText('large', 'gpgcheck=0\n') });
const start = (at: ScratchRoot, ...words: string[]) =>
  program.start(['--installroot', at.path, '--nogpgcheck', '-y', ...words]);
const auto = (at: ScratchRoot) => start(at, 'auto');
const installed = (at: ScratchRoot): Map<string, string> =>
  new Map(
    [...modules.keys()].flatMap((file) => {
      const path = at.at(`var/lib/kpatch/${file}`);
      return existsSync(path) ? [[file, sha256(readFileSync(path))] as const] : [];
    }),
  );
const leftovers = (at: ScratchRoot): string[] =>
  readdirSync(at.at('var/lib/kpatch-pm')).filter((name) => name === 'spool' || name === 'staging');

/** The kernel's own record of the highest resident size so far, in bytes. Source: proc_pid_status(5). */
function highWater(pid: number): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** How far a killed run had come, by what lies in its root. */
function stageOf(at: ScratchRoot): string {
  const there = (name: string) => existsSync(at.at(`var/lib/kpatch-pm/${name}`));
  if (there('journal.json')) return 'committed, not finished';
  if (installed(at).size === modules.size) return 'finished';
  if (there('staging')) return 'staged';
  if (there('spool')) return 'verifying, with files in the spool';
  return there('lock') ? 'fetching or verifying' : 'nothing changed';
}

/** Runs to the end; gives the highest resident size. */
async function watched(child: ChildProcess): Promise<number> {
  let highest = 0;
  const watch = setInterval(() => {
    highest = Math.max(highest, highWater(child.pid ?? 0));
  }, 5);
  const { status, err } = await ended(child);
  clearInterval(watch);
  if (status !== 0) throw new Error(err);
  return highest;
}

describe('twenty packages of 12 MB', () => {
  test.each([
    ['a repository', () => ['auto']],
    ['files', () => ['install', ...readdirSync(files).map((name) => path.join(files, name))]],
  ] as const)(
    'of %s are installed in bounded memory',
    async (_, words) => {
      const at = root();
      try {
        const highest = await watched(start(at, ...words()));
        expect(installed(at)).toEqual(modules);
        expect(leftovers(at)).toEqual([]);
        expect(highest).toBeGreaterThan(50 * MB);
        expect(highest).toBeLessThan(MOST);
      } finally {
        at.remove();
      }
    },
    120_000,
  );

  /** Ends a run by a signal while it verifies. */
  async function endedBy(signal: NodeJS.Signals, at: ScratchRoot) {
    const child = auto(at);
    const end = ended(child);
    const spool = at.at('var/lib/kpatch-pm/spool');
    while (child.exitCode === null && !(existsSync(spool) && readdirSync(spool).length > 4)) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    child.kill(signal);
    return end;
  }

  test('whose run is interrupted leave nothing', async () => {
    const at = root();
    try {
      const { status, err } = await endedBy('SIGINT', at);
      expect({ status, err }).toEqual({ status: 1, err: expect.stringContaining('Interrupted (SIGINT).') });
      expect(leftovers(at)).toEqual([]);
      expect(installed(at).size).toBe(0);
    } finally {
      at.remove();
    }
  }, 120_000);

  test('of which some were verified when the run was killed are installed by the next', async () => {
    const at = root();
    try {
      expect((await endedBy('SIGKILL', at)).signal).toBe('SIGKILL');
      expect(leftovers(at)).toEqual(['spool']);
      expect(installed(at).size).toBe(0);
      await watched(auto(at));
      expect(installed(at)).toEqual(modules);
      expect(leftovers(at)).toEqual([]);
    } finally {
      at.remove();
    }
  }, 120_000);

  test(
    `are whole or absent wherever the run is killed: ${KILLS} times`,
    async () => {
      const met = new Map<string, number>();
      const undisturbed = root();
      const begin = performance.now();
      await watched(auto(undisturbed));
      const span = performance.now() - begin;
      undisturbed.remove();
      for (let n = 0; n < KILLS; n++) {
        const at = root();
        try {
          const child = auto(at);
          const end = ended(child);
          const timer = setTimeout(() => child.kill('SIGKILL'), ((n + 0.5) / KILLS) * span);
          const { signal } = await end;
          clearTimeout(timer);
          const seen = signal === null ? 'ended before' : stageOf(at);
          met.set(seen, (met.get(seen) ?? 0) + 1);
          for (const [file, sum] of installed(at)) expect([file, sum]).toEqual([file, modules.get(file)]);
          await watched(auto(at));
          expect(installed(at)).toEqual(modules);
          expect(leftovers(at)).toEqual([]);
          expect(existsSync(at.at('var/lib/kpatch-pm/journal.json'))).toBe(false);
        } finally {
          at.remove();
        }
      }
      if (process.env.KPATCH_PM_KILLS) process.stderr.write(`${KILLS} kills: ${JSON.stringify([...met])}\n`);
      // At least one of them met work that was begun.
      expect([...met.keys()].some((stage) => !/before|nothing/.test(stage))).toBe(true);
    },
    60_000 + KILLS * 30_000,
  );
});
