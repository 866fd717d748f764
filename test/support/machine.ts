// A Machine over a directory, for tests of what changes a root: real programs, real files, a clock that stands still.

import type { Machine, Ui } from '../../src/host/machine.ts';
import { type ChangeHook, Root } from '../../src/host/root.ts';
import { realRun } from '../../src/host/run.ts';

export function machineOver(directory: string, hook: ChangeHook | null = null, more: Partial<Machine> = {}): Machine {
  return {
    root: new Root(directory, hook),
    host: new Root('/'),
    run: realRun,
    now: () => new Date('2026-01-01T00:00:00Z'),
    env: {},
    live: false,
    uname: null,
    arch: 'x86_64',
    uid: process.getuid?.() ?? 0,
    user: 'admin',
    version: '0.0.0-test',
    ...more,
  };
}

export interface Heard extends Ui {
  readonly notes: string[];
  readonly warnings: string[];
}

/** Keeps what it is told; answers every question with yes. */
export function listener(): Heard {
  const heard = { notes: [] as string[], warnings: [] as string[] };
  return {
    ...heard,
    note: (text) => heard.notes.push(text),
    warn: (text) => heard.warnings.push(text),
    failure: (text) => heard.warnings.push(text),
    detail: () => undefined,
    confirm: async () => true,
    progress: () => ({ advance: () => undefined, done: () => undefined }),
  };
}
