// From what insmod and the kernel say to one code, with the line that proves it. Texts: recorded on Debian 6.1 and 6.12, or
// read in the kernel's source (marked).
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { insmodAnswer } from '../../../src/apply/load/builtin.ts';
import { utilityAnswer } from '../../../src/apply/load/kpatch.ts';
import { explainRefusal, type KernelMood, kernelMood } from '../../../src/apply/load/refusal.ts';
import { Root } from '../../../src/host/root.ts';

const calm: KernelMood = { lockdown: null, modulesDisabled: false, selinuxEnforcing: false, walled: false };
const insmod = (reason: string): string => `insmod: ERROR: could not insert module /proc/self/fd/3: ${reason}\n`;

interface Row {
  readonly name: string;
  readonly text: string;
  readonly log?: string[];
  readonly mood?: Partial<KernelMood>;
  readonly code: string;
  readonly quoted?: string;
}

const ROWS: readonly Row[] = [
  {
    name: 'other flags in vermagic',
    text: insmod('Invalid module format'),
    log: ["m: version magic '6.1.0-50-amd64 SMP x ' should be '6.1.0-56-amd64 SMP preempt mod_unload modversions '"],
    code: 'load-refused-format',
    quoted: "should be '6.1.0-56-amd64",
  },
  {
    name: 'a symbol checksum that differs',
    text: insmod('Invalid module format'),
    log: ['kpatch_m: disagrees about version of symbol module_layout'],
    code: 'load-refused-symbol',
    quoted: 'disagrees about version of symbol module_layout',
  },
  {
    name: 'a function that does not exist',
    text: insmod('Invalid parameters'),
    log: ["livepatch: symbol 'gone' not found in symbol table", 'odd: tainting kernel'],
    code: 'load-refused-symbol',
    quoted: "livepatch: symbol 'gone' not found",
  },
  { name: 'an unknown symbol', text: insmod('Unknown symbol in module'), code: 'load-refused-symbol' },
  { name: 'a damaged file, no log', text: insmod('Invalid module format'), code: 'load-refused-format' },
  {
    name: 'an init that gives up',
    text: insmod('No such device'),
    code: 'load-refused-init',
    quoted: 'No such device',
  },
  {
    name: 'a callback that gives up',
    text: insmod('Cannot allocate memory'),
    log: [
      "livepatch: enabling patch 'm'",
      "livepatch: pre-patch callback failed for object 'vmlinux'",
      "livepatch: 'm': unpatching complete",
    ],
    code: 'load-refused-init',
    quoted: "pre-patch callback failed for object 'vmlinux'",
  },
  // kernel/module/signing.c
  {
    name: 'no signature where one is enforced',
    text: insmod('Required key not available'),
    log: ['Loading of unsigned module is rejected'],
    code: 'load-refused-signature',
    quoted: 'Loading of unsigned module is rejected',
  },
  { name: 'a signature by a stranger', text: insmod('Key was rejected by service'), code: 'load-refused-signature' },
  // security/lockdown/lockdown.c
  {
    name: 'lockdown, with its log line',
    text: insmod('Operation not permitted'),
    log: ['Lockdown: insmod: unsigned module loading is restricted; see man kernel_lockdown.7'],
    mood: { lockdown: 'integrity' },
    code: 'load-refused-lockdown',
    quoted: 'unsigned module loading is restricted',
  },
  {
    name: 'lockdown, log not readable',
    text: insmod('Operation not permitted'),
    mood: { lockdown: 'integrity' },
    code: 'load-refused-lockdown',
  },
  {
    name: 'SELinux',
    text: insmod('Permission denied'),
    mood: { selinuxEnforcing: true },
    code: 'load-refused-selinux',
  },
  {
    name: 'SELinux, by the record of a denied capability',
    text: insmod('Operation not permitted'),
    log: [
      'type=AVC msg=audit(1767225660.123:42): avc:  denied  { sys_module } for  pid=7 comm="insmod" capability=16 scontext=a tcontext=a tclass=capability permissive=0',
    ],
    mood: { selinuxEnforcing: true, lockdown: 'integrity' },
    code: 'load-refused-selinux',
    quoted: 'denied  { sys_module }',
  },
  {
    name: 'SELinux, by the record in the kernel log',
    text: insmod('Permission denied'),
    log: [
      'audit: type=1400 audit(1767225660.123:4): avc:  denied  { module_load } for  pid=7 comm="insmod" path="/var/lib/kpatch/k/m.ko" scontext=a tcontext=b tclass=system permissive=0',
    ],
    code: 'load-refused-selinux',
    quoted: 'denied  { module_load }',
  },
  {
    name: 'lockdown on a host where SELinux enforces: its own errno tells them apart',
    text: insmod('Operation not permitted'),
    mood: { selinuxEnforcing: true, lockdown: 'integrity' },
    code: 'load-refused-lockdown',
  },
  {
    name: 'a container on a host where SELinux enforces',
    text: insmod('Operation not permitted'),
    mood: { selinuxEnforcing: true },
    code: 'needs-root',
  },
  {
    name: 'no more modules',
    text: insmod('Operation not permitted'),
    mood: { modulesDisabled: true, lockdown: 'integrity' },
    code: 'modules-disabled',
  },
  { name: 'a container', text: insmod('Operation not permitted'), code: 'needs-root' },
  // kernel/module/main.c
  {
    name: 'a kernel without live patching',
    text: insmod('Invalid module format'),
    log: ['m: module is marked as livepatch module, but livepatch support is disabled'],
    code: 'no-livepatch-support',
  },
  {
    name: 'a kernel without reliable stack traces',
    text: insmod('Function not implemented'),
    log: ["livepatch: This architecture doesn't have support for the livepatch consistency model."],
    code: 'no-livepatch-support',
    quoted: 'consistency model',
  },
  // init_module(2), ERRORS; a filter of system calls answers so too
  {
    name: 'a sandbox',
    text: insmod('Function not implemented'),
    mood: { walled: true },
    code: 'loading-forbidden',
    quoted: 'no module at all',
  },
  {
    name: 'nothing is seen to keep modules away, and the log cannot be read: the module may have answered so itself',
    text: insmod('Function not implemented'),
    code: 'load-refused-init',
    quoted: 'Function not implemented',
  },
  {
    name: 'the kernel took the file, wherever this process is',
    text: insmod('Function not implemented'),
    log: ['m: tainting kernel with TAINT_LIVEPATCH'],
    mood: { walled: true },
    code: 'load-refused-init',
    quoted: 'Function not implemented',
  },
  {
    name: 'a live patch whose start answers ENOSYS itself',
    text: insmod('Function not implemented'),
    log: ["livepatch: failed to initialize patch 'm' (-38)"],
    code: 'load-refused-init',
    quoted: 'failed to initialize',
  },
  { name: 'a wordless refusal', text: '', code: 'load-refused-init', quoted: 'no reason was given' },
];

describe('why a module was not loaded', () => {
  test.each(ROWS)('$name: $code', ({ text, log = [], mood = {}, code, quoted }) => {
    const error = explainRefusal('kpatch_m', { text, log }, { ...calm, ...mood });
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^kpatch_m was not loaded: .*\.$/);
    expect(error.message).toContain(quoted ?? '');
    expect(error.hint).toMatch(/\S/);
  });
});

test('what insmod answers', () => {
  expect(insmodAnswer(0, '')).toEqual({ kind: 'ok' });
  expect(insmodAnswer(1, insmod('Device or resource busy'))).toEqual({ kind: 'busy', final: false });
  expect(insmodAnswer(1, insmod('File exists'))).toEqual({ kind: 'exists' });
  expect(insmodAnswer(1, insmod('Invalid parameters'))).toEqual({ kind: 'refused' });
  expect(insmodAnswer(null, '')).toEqual({ kind: 'refused' });
});

test('what the kpatch utility answers', () => {
  expect(utilityAnswer(0, '')).toEqual({ kind: 'ok' });
  const busy = `${insmod('Device or resource busy')}kpatch: failed to load module F`;
  expect(utilityAnswer(1, busy)).toEqual({ kind: 'busy', final: true });
  const stalled = 'kpatch: error: failed to load module m (transition stalled)';
  expect(utilityAnswer(1, stalled)).toEqual({ kind: 'stalled' });
  expect(utilityAnswer(1, `${insmod('No such device')}kpatch: failed to load module F`)).toEqual({ kind: 'refused' });
});

describe('whether modules can come in at all', () => {
  test.each([
    ['a filter of system calls', { 'proc/modules': '', 'proc/self/status': 'Name:\tnode\nSeccomp:\t2\n' }, true],
    ['no filter', { 'proc/modules': '', 'proc/self/status': 'Name:\tnode\nSeccomp:\t0\n' }, false],
    ['an old kernel that does not tell', { 'proc/modules': '', 'proc/self/status': 'Name:\tnode\n' }, false],
    ['a kernel without modules', { 'proc/self/status': 'Seccomp:\t0\n' }, true],
  ] as readonly [string, Readonly<Record<string, string>>, boolean][])('%s', (_, files, expected) => {
    const place = mkdtempSync(path.join(os.tmpdir(), 'kpm-test-'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(place, name)), { recursive: true });
      writeFileSync(path.join(place, name), text);
    }
    expect(kernelMood(new Root(place)).walled).toBe(expected);
    rmSync(place, { recursive: true });
  });
});
