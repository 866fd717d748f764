// The kernel's lists of probes, in the forms its documentation and its source give them, and what conflicts with a live patch.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { conflicting, type Probe, probeText } from '../../../src/domain/probes.ts';
import { parseEnabledFunctions, parseKprobeEvents, parseKprobesList } from '../../../src/formats/tracefs/probes.ts';
import { kernelProbes, replacedFunctions } from '../../../src/host/probes.ts';
import { Root } from '../../../src/host/root.ts';

const probe = (kind: Probe['kind'], name: string, owner: string | null = null, object = 'vmlinux'): Probe => ({
  kind,
  name,
  object,
  owner,
});

describe('debug/kprobes/list', () => {
  test.each<[string, Probe[]]>([
    ['ffffffff8d0c1d50  k  vfs_read+0x0', [probe('kprobe', 'vfs_read')]],
    ['ffffffff8d0c1d50  k  vfs_read+0x14    [OPTIMIZED]', [probe('kprobe', 'vfs_read')]],
    ['ffffffff8d0c1d50  r  do_sys_openat2+0x0    [DISABLED][FTRACE]', [probe('kretprobe', 'do_sys_openat2')]],
    ['0000000000000000  k  nf_hook_slow+0x0  nf_tables [FTRACE]', [probe('kprobe', 'nf_hook_slow', null, 'nf_tables')]],
    ['', []],
    ['no list at all', []],
  ])('%s', (line, expected) => expect(parseKprobesList(`${line}\n`)).toEqual(expected));
});

describe('kprobe_events', () => {
  test.each<[string, Probe[]]>([
    ['p:kprobes/myprobe do_sys_open dfd=%ax filename=%dx', [probe('kprobe', 'do_sys_open', 'kprobes/myprobe')]],
    ['r4:mine/ret vfs_read+0 $retval', [probe('kretprobe', 'vfs_read', 'mine/ret')]],
    ['p:kprobes/m nf_tables:nft_do_chain', [probe('kprobe', 'nft_do_chain', 'kprobes/m', 'nf_tables')]],
    ['p:kprobes/p_0xffffffff8d0c1d50 0xffffffff8d0c1d50', []],
  ])('%s', (line, expected) => expect(parseKprobeEvents(`${line}\n`)).toEqual(expected));
});

describe('enabled_functions', () => {
  test.each<[string, string, Probe[]]>([
    [
      'a live patch alone',
      'version_proc_show (1) R I     \ttramp: 0xffffffffc0a1d000 (klp_ftrace_handler+0x0/0x1a0) ->ftrace_ops_assist_func+0x0/0xf0',
      [],
    ],
    ['a live patch alone, without its trampoline', 'version_proc_show (1) R I', []],
    [
      'a function tracer',
      'vfs_read (1)           \ttramp: 0xffffffffc0a1d000 (function_trace_call+0x0/0x150) ->ftrace_ops_assist_func+0x0/0xf0',
      [probe('ftrace', 'vfs_read', 'function_trace_call')],
    ],
    [
      'a kprobe',
      'vfs_read (1) R         \ttramp: 0xffffffffc0a1d000 (kprobe_ftrace_handler+0x0/0x1b0) ->ftrace_ops_assist_func+0x0/0xf0',
      [probe('kprobe', 'vfs_read', 'kprobe_ftrace_handler')],
    ],
    [
      'a live patch and somebody else',
      'vfs_read (2) R I     ->ftrace_ops_list_func+0x0/0x1f0',
      [probe('ftrace', 'vfs_read')],
    ],
    [
      'a BPF trampoline, on a line of its own',
      'bpf_fentry_test1 (1)     D   \n\tdirect-->bpf_trampoline_6442536467+0x0/0x1000',
      [probe('bpf', 'bpf_fentry_test1', 'bpf_trampoline_6442536467')],
    ],
    [
      'a function of a module',
      'nft_do_chain [nf_tables] (1)           \ttramp: 0xffffffffc0a1d000 (function_trace_call+0x0/0x150)',
      [probe('ftrace', 'nft_do_chain', 'function_trace_call', 'nf_tables')],
    ],
  ])('%s', (_name, text, expected) => expect(parseEnabledFunctions(`${text}\n`)).toEqual(expected));
});

describe('conflicts', () => {
  const functions = [
    { object: 'vmlinux', name: 'vfs_read' },
    { object: 'nf_tables', name: 'nft_do_chain' },
  ];
  const found = (...probes: Probe[]) => conflicting(functions, { probes, unknown: [] });

  test('by object and name, each once', () => {
    const one = probe('kprobe', 'vfs_read', 'kprobes/mine');
    expect(found(one, one, probe('kprobe', 'vfs_write'), probe('ftrace', 'nft_do_chain'))).toEqual([one]);
    expect(found(probe('ftrace', 'nft_do_chain', null, 'nf_tables')).map(probeText)).toEqual([
      'an ftrace user on nft_do_chain of nf_tables',
    ]);
  });
  test('in words', () => {
    expect(probeText(probe('kprobe', 'vfs_read', 'kprobes/mine'))).toBe('a kprobe (kprobes/mine) on vfs_read');
    expect(probeText(probe('bpf', 'vfs_read', 'bpf_trampoline_1'))).toBe(
      'a BPF trampoline (bpf_trampoline_1) on vfs_read',
    );
  });
});

describe('reading them', () => {
  const made: string[] = [];
  afterAll(() => {
    for (const dir of made) rmSync(dir, { recursive: true });
  });
  const sys = (files: Record<string, string>): Root => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'kpm-probes-'));
    made.push(dir);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
      writeFileSync(path.join(dir, name), text);
    }
    return new Root(dir);
  };

  test('what cannot be read is unknown, not none; an empty list is none', () => {
    expect(kernelProbes(sys({}))).toEqual({
      probes: [],
      unknown: [
        '/sys/kernel/debug/kprobes/list',
        '/sys/kernel/tracing/kprobe_events',
        '/sys/kernel/tracing/enabled_functions',
      ],
    });
    const root = sys({
      'sys/kernel/debug/kprobes/list': '',
      'sys/kernel/debug/tracing/kprobe_events': 'p:a/b vfs_read\n',
      'sys/kernel/tracing/enabled_functions': '',
    });
    expect(kernelProbes(root)).toEqual({ probes: [probe('kprobe', 'vfs_read', 'a/b')], unknown: [] });
  });

  test('the functions of a loaded live patch', () => {
    const base = 'sys/kernel/livepatch/kpatch_1';
    const root = sys({
      [`${base}/enabled`]: '1\n',
      [`${base}/vmlinux/vfs_read,1/x`]: '',
      [`${base}/vmlinux/patched`]: '1\n',
      [`${base}/nf_tables/nft_do_chain,1/x`]: '',
    });
    expect(replacedFunctions(root, 'kpatch_1')).toEqual([
      { object: 'nf_tables', name: 'nft_do_chain' },
      { object: 'vmlinux', name: 'vfs_read' },
    ]);
  });
});
