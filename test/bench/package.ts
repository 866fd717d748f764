// Verifying and extracting one package of about 5 MB, beside rpm's own programs:
//   node packaging/run-ts.mjs test/bench/package.ts [--rounds 9] [--size 5] [--node /path/to/node] [--check]
// Whole processes on both sides: ours with the start of node, theirs rpmkeys -K and rpm2cpio | cpio -i together. Ours is the
// part of the program that does this, built and loaded as the program is.
// --check ends with status 1 where ours needs more processor time, start of node and all.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../fuzz/random.ts';
import { buildRpm } from '../support/build-rpm.ts';
import { livePatch } from '../support/elf.ts';
import { Gpg } from '../support/gpg.ts';
import { top } from '../support/top.ts';
import { installedPart } from './installed.ts';
import { machineText } from './machine.ts';
import { ENV, median } from './measure.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    /** MB of the package file. */
    size: { type: 'string', default: '5' },
    node: { type: 'string', default: process.execPath },
    check: { type: 'boolean', default: false },
  },
});

const RELEASE = '5.14.0-1.el9.x86_64';
/** A module that packs to about a third, as kernel modules with debugging symbols do. */
function module(bytes: number): Buffer {
  const random = new Random(1);
  const text = Buffer.alloc(bytes * 3);
  for (let at = 0; at < text.length; at += 48) {
    text.set(random.bytes(16), at);
    text.fill(`symbol_${random.below(64)}_of_the_kernel`, at + 16, at + 48, 'latin1');
  }
  return livePatch({ name: 'kpatch_5_14_0_1_1_1', release: RELEASE, more: { '.debug_str': text } });
}

const spec = (file: string): string => `
Name: kpatch-patch-5_14_0-1
Version: 1
Release: 1.el9
Summary: Live kernel patching module
License: GPL
Provides: kpatch-patch = ${RELEASE}
Requires: kernel-uname-r = ${RELEASE}
%global __os_install_post %{nil}
%global debug_package %{nil}
%description
%install
install -D -m 0755 ${file} %{buildroot}/usr/lib/kpatch/${RELEASE}/kpatch-5_14_0-1-1-1.ko
%files
/usr/lib/kpatch
`;

/** Runs a program that must succeed. */
function must(program: string, args: readonly string[]): void {
  const done = spawnSync(program, args, { encoding: 'utf8', env: ENV });
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${done.stderr}${done.stdout}`);
}

function sign(key: string, file: string): void {
  const macros = { __gpg: '/usr/bin/gpg', _gpg_path: gpg.home, _gpg_name: key, _gpg_digest_algo: 'sha256' };
  must('rpmsign', [
    ...Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]),
    '--addsign',
    file,
  ]);
}

interface Spent {
  /** Milliseconds on the clock. */
  readonly wall: number;
  /** Milliseconds of processor time, of the command and all it started. */
  readonly cpu: number;
}

function timed(command: string): Spent {
  const done = spawnSync('/bin/bash', ['-ec', `set -o pipefail; TIMEFORMAT='%R %U %S'; time { ${command}; }`], {
    encoding: 'utf8',
    env: ENV,
  });
  if (done.status !== 0) throw new Error(`${command}: ${done.stderr}`);
  const [wall = 0, user = 0, system = 0] = (done.stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { wall: wall * 1000, cpu: (user + system) * 1000 };
}

const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-bench-package-'));
const at = (name: string): string => path.join(scratch, name);
const gpg = new Gpg();
try {
  const program = await installedPart(path.join(top, 'test', 'bench', 'extract.ts'), at('program'), values.node);
  writeFileSync(at('a.ko'), module(Number(values.size) * 1024 * 1024));
  const key = gpg.key('bench <bench@example.invalid>', 'rsa3072');
  writeFileSync(at('key.asc'), gpg.export(key));
  mkdirSync(at('db'));
  must('rpmkeys', ['--dbpath', at('db'), '--import', at('key.asc')]);
  const version = spawnSync(values.node, ['--version'], { encoding: 'utf8', env: ENV }).stdout.trim();
  console.log(`${machineText()}, node ${version}; medians of ${values.rounds} rounds, in milliseconds.`);
  console.log('Processor time is that of all processes.\n');
  console.log('| payload | package MB | ours | rpm | ours / rpm | processor: ours | rpm | ours / rpm |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  let missed = 0;
  for (const [payload, macro] of [
    ['gzip', 'w6.gzdio'],
    ['xz', 'w2.xzdio'],
    ['zstd', 'w19.zstdio'],
  ] as const) {
    const built = await buildRpm(spec(at('a.ko')), { _binary_payload: macro, _target_cpu: 'x86_64' });
    const file = at(`${payload}.rpm`);
    copyFileSync(built.file, file);
    built.remove();
    sign(key, file);
    const out = at(`out-${payload}`);
    const commands = {
      ours: `${values.node} ${program} ${file} ${at('key.asc')} ${RELEASE} ${out}`,
      rpm: `rpmkeys --dbpath ${at('db')} -K ${file} && cd ${out} && rpm2cpio ${file} | cpio -id --quiet`,
    };
    const spent: Record<keyof typeof commands, Spent[]> = { ours: [], rpm: [] };
    // One after the other within a round, so that a slow spell of the machine falls on all; the first round warms up.
    for (let round = 0; round <= Number(values.rounds); round++) {
      for (const name of ['ours', 'rpm'] as const) {
        rmSync(out, { recursive: true, force: true });
        mkdirSync(out);
        const one = timed(commands[name]);
        if (round > 0) spent[name].push(one);
      }
    }
    const wall = (one: Spent): number => one.wall;
    const cpu = (one: Spent): number => one.cpu;
    const of = (name: keyof typeof commands, what: (one: Spent) => number): number => median(spent[name].map(what));
    const factor = (what: (one: Spent) => number): number => of('ours', what) / of('rpm', what);
    if (factor(cpu) > 1) missed++;
    const cells = [
      payload,
      (statSync(file).size / 1e6).toFixed(1),
      ...[of('ours', wall), of('rpm', wall)].map((ms) => ms.toFixed(0)),
      factor(wall).toFixed(2),
      ...[of('ours', cpu), of('rpm', cpu)].map((ms) => ms.toFixed(0)),
      factor(cpu).toFixed(2),
    ];
    console.log(`| ${cells.join(' | ')} |`);
    const written = readFileSync(path.join(out, 'usr/lib/kpatch', RELEASE, 'kpatch-5_14_0-1-1-1.ko'));
    if (!written.equals(readFileSync(at('a.ko')))) throw new Error('what was extracted is not what was packed');
  }
  if (values.check && missed > 0) process.exitCode = 1;
} finally {
  gpg.close();
  rmSync(scratch, { recursive: true, force: true });
}
