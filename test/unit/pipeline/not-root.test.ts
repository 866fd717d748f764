// What somebody who is not root is told to do next: only what works without being root.
import { expect, test } from '@jest/globals';
import { commandLine } from '../../../src/cli/command-line.ts';
import { unwritable } from '../../../src/host/failure.ts';
import type { Machine } from '../../../src/host/machine.ts';
import { lock, type Request } from '../../../src/pipeline.ts';
import { listener } from '../../support/machine.ts';

/** What a run on the system itself ends with, before anything is opened. */
async function hintFor(verb: Request['verb'], commandLine?: string, undo?: string): Promise<unknown> {
  const machine = { root: { isHost: true }, uid: 65534 } as Machine;
  const request = { verb, commandLine, undo } as Request;
  return lock(machine, request, listener()).catch((error: { hint?: unknown }) => error.hint);
}

test.each(['auto', 'upgrade', 'manual'] as const)('%s can be looked at first', async (verb) => {
  expect(await hintFor(verb)).toBe(`Run: sudo kpatch-pm ${verb}   Or look first: kpatch-pm ${verb} --dry-run`);
});

test('what is told is what was typed: with less it would do more', async () => {
  const typed = commandLine(['autoremove', '--kernel', '5.14.0-70.13.1.el9_0.x86_64', '-y']);
  expect(await hintFor('autoremove', typed)).toBe(
    `Run: sudo kpatch-pm ${typed}   Or look first: kpatch-pm ${typed} --dry-run`,
  );
  expect(commandLine(['install', 'kpatch-patch*', "it's"])).toBe("install 'kpatch-patch*' 'it'\\''s'");
});

test('what a dry run cannot show without root is not promised', async () => {
  expect(await hintFor('machine', 'machine reset')).toBe('Run: sudo kpatch-pm machine reset');
  expect(await hintFor('keys', 'keys pin rhel ABCD')).toBe('Run: sudo kpatch-pm keys pin rhel ABCD');
  expect(await hintFor('history', undefined, 'last')).toBe('Run: sudo kpatch-pm history undo last');
});

test('of a file that may not be written, nothing is promised about the verb', () => {
  const { code, hint } = unwritable(
    '/srv/lock',
    Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }),
  );
  expect({ code, hint }).toEqual({
    code: 'needs-root',
    hint: 'Check who may write there (ls -ld /srv), or run the command as root.',
  });
});
