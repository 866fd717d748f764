// The program as it is shipped: bundled into a directory of this test, run as a process of its own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { top } from './top.ts';

export interface BuiltProgram {
  start(args: readonly string[]): ChildProcess;
  remove(): void;
}

/** Bundles the program (about a second). */
export function builtProgram(): BuiltProgram {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-built-'));
  const built = spawnSync(process.execPath, [path.join(top, 'packaging', 'build.mjs'), scratch], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(built.stderr);
  const file = path.join(scratch, 'kpatch-pm.cjs');
  return {
    // A clean environment: with an unsafe one the program starts itself again, and a signal would miss the working process.
    start: (args) =>
      spawn(process.execPath, [file, ...args], { env: { PATH: '/usr/bin:/bin' }, stdio: ['ignore', 'pipe', 'pipe'] }),
    remove: () => rmSync(scratch, { recursive: true, force: true }),
  };
}

export interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** Waits for a process and gives what it said. */
export function ended(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let [out, err] = ['', ''];
    child.stdout?.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      err += chunk;
    });
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, out, err }));
  });
}
