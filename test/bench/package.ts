// Verifying and extracting one package of about 5 MB, beside rpm's own programs:
//   node packaging/run-ts.mjs test/bench/package.ts [--rounds 9] [--size 5] [--check]
// Whole processes on both sides: ours with the start of node, theirs rpmkeys -K and rpm2cpio | cpio -i together.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { Random } from '../fuzz/random.ts';
import { buildRpm } from '../support/build-rpm.ts';
import { livePatch } from '../support/elf.ts';
import { Gpg } from '../support/gpg.ts';
import { top } from '../support/top.ts';
import { machineText } from './machine.ts';
import { type Command, ENV, interleaved, median, ratio } from './measure.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    /** MB of the package file. */
    size: { type: 'string', default: '5' },
    check: { type: 'boolean', default: false },
  },
});

const RELEASE = '5.14.0-1.el9.x86_64';
const OURS = 'kpatch-pm: verify and extract';
const THEIRS = 'rpmkeys -K, then rpm2cpio | cpio -i';

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

const scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-bench-package-'));
const at = (name: string): string => path.join(scratch, name);
const gpg = new Gpg();
try {
  const program = at('extract.mjs');
  await build({
    entryPoints: [path.join(top, 'test', 'bench', 'extract.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    minifySyntax: true,
  });
  writeFileSync(at('a.ko'), module(Number(values.size) * 1024 * 1024));
  const key = gpg.key('bench <bench@example.invalid>', 'rsa3072');
  writeFileSync(at('key.asc'), gpg.export(key));
  mkdirSync(at('db'));
  must('rpmkeys', ['--dbpath', at('db'), '--import', at('key.asc')]);
  console.log(`${machineText()}, node ${process.version}\n`);
  console.log(
    '| payload | package MB | ours ms | rpm ms | ours / rpm | ours, largest process MB |\n| --- | --- | --- | --- | --- | --- |',
  );
  let missed = 0;
  for (const [payload, macro] of [
    ['gzip', 'w6.gzdio'],
    ['xz', 'w2.xzdio'],
    ['zstd', 'w19.zstdio'],
  ] as const) {
    const built = await buildRpm(spec(at('a.ko')), {
      _binary_payload: macro,
      _build_id_links: 'none',
      _target_cpu: 'x86_64',
    });
    const file = at(`${payload}.rpm`);
    copyFileSync(built.file, file);
    built.remove();
    sign(key, file);
    const out = at(`out-${payload}`);
    const fresh = (): void => {
      rmSync(out, { recursive: true, force: true });
      mkdirSync(out);
    };
    const rpm = `rpmkeys --dbpath ${at('db')} -K ${file} && cd ${out} && rpm2cpio ${file} | cpio -id --quiet`;
    const commands = new Map<string, Command>([
      [OURS, { argv: [process.execPath, program, file, at('key.asc'), RELEASE, out], before: fresh }],
      [THEIRS, { argv: ['/bin/sh', '-ec', rpm], before: fresh }],
    ]);
    const results = await interleaved(commands, Number(values.rounds), () => undefined);
    const [ours, theirs] = [results.get(OURS), results.get(THEIRS)];
    if (!ours || !theirs) throw new Error('nothing was measured');
    const factor = ratio(ours, theirs);
    if (factor >= 1) missed++;
    const cells = [
      payload,
      (statSync(file).size / 1e6).toFixed(1),
      median(ours.times).toFixed(0),
      median(theirs.times).toFixed(0),
      factor.toFixed(2),
      ours.memory.largest.toFixed(0),
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
