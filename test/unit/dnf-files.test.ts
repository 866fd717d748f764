// The files for dnf, against the forms its plug-ins document (dnf-plugins-core: post-transaction-actions; libdnf5: actions).
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { HIDDEN_VERBS } from '../../src/cli/system-verbs.ts';
import type { VerbSpec } from '../../src/cli/verb-spec.ts';
import { top } from '../support/top.ts';

const lines = (file: string): string[] =>
  readFileSync(path.join(top, 'packaging/dnf', file), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

const CALLBACKS = [
  'pre_base_setup',
  'post_base_setup',
  'repos_configured',
  'repos_loaded',
  'pre_add_cmdline_packages',
  'post_add_cmdline_packages',
  'goal_resolved',
  'pre_transaction',
  'post_transaction',
];

/** The verb and word that a command calls; it must be ours, by its absolute path. */
function called(command: string): [string, string] {
  const [program, ...words] = command.split(' ');
  expect(program).toBe('/usr/bin/kpatch-pm');
  const [verb = '', word = ''] = words.filter((one) => one !== '-q');
  const verbs: readonly VerbSpec[] = HIDDEN_VERBS;
  const known: readonly string[] = verbs.find(({ name }) => name === verb)?.words ?? [];
  expect(known).toContain(word);
  return [verb, word];
}

describe('dnf4', () => {
  test('package_filter:state:command', () => {
    const found = lines('dnf4/kpatch-pm.action').map((line) => line.split(':'));
    expect(found.length).toBeGreaterThan(0);
    for (const [filter, state, command = '', ...more] of found) {
      expect(filter).toMatch(/^kernel/);
      expect(['in', 'out', 'any']).toContain(state);
      expect(called(command)).toEqual(['service', 'wait']);
      expect(more).toEqual([]);
    }
  });
});

describe('dnf5', () => {
  test('callback:package_filter:direction:options:command', () => {
    const found = lines('dnf5/kpatch-pm.actions').map((line) => line.split(':'));
    expect(found.length).toBeGreaterThan(0);
    for (const [callback = '', filter, direction = '', options = '', command = '', ...more] of found) {
      expect(CALLBACKS).toContain(callback);
      expect(filter).toMatch(/^kernel/);
      expect(['in', 'out', '']).toContain(direction);
      for (const option of options.split(' ')) expect(option).toMatch(/^(enabled|mode|raise_error)=[\w-]+$/);
      expect(called(command)).toEqual(['service', 'wait']);
      // Plain mode takes every line of standard output for an instruction.
      expect(command).toContain(' -q ');
      expect(more).toEqual([]);
    }
  });
});

describe('dnf5, opt-in', () => {
  const found = lines('dnf5/kpatch-pm-veto.actions').map((line) => line.split(':'));

  test('one action, at a moment when nothing has been downloaded, for each kernel that comes in', () => {
    expect(found).toHaveLength(1);
    const [callback, filter, direction, options, ...command] = found[0] ?? [];
    expect([callback, filter, direction]).toEqual(['goal_resolved', 'kernel-core', 'in']);
    // A missing program must not keep every kernel away: stop= is thrown whatever raise_error says.
    expect(options?.split(' ')).toEqual(['enabled=host-only']);
    expect(command).toHaveLength(1);
  });

  test('its command is a verb of ours, given the kernel by attributes that dnf5 knows', () => {
    const [program, quiet, verb, release, ...more] = (found[0]?.[4] ?? '').split(' ');
    expect([program, quiet, more]).toEqual(['/usr/bin/kpatch-pm', '-q', []]);
    expect(HIDDEN_VERBS.map(({ name }): string => name)).toContain(verb);
    const used = [...(release ?? '').matchAll(/\$\{pkg\.(\w+)\}/g)].map(([, name]) => name);
    expect(used).toEqual(['version', 'release', 'arch']);
    expect(release?.replaceAll(/\$\{pkg\.\w+\}/g, 'x')).toBe('x-x.x');
  });
});
