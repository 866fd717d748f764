// npm run bench [-- --rounds 7 --size 12000-gz --node FILE --scratch DIR --check --write]: see docs/performance.md.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { top } from '../support/top.ts';
import { goalsOf, judge } from './goals.ts';
import { benchRoot, machineText } from './machine.ts';
import { interleaved } from './measure.ts';
import { benchRepository, sizeOf } from './repository.ts';
import { resultTable } from './table.ts';
import { installed, workOn } from './work.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    size: { type: 'string', multiple: true, default: ['12000-gz', '50000-zst'] },
    node: { type: 'string', default: process.execPath },
    scratch: { type: 'string', default: path.join(os.tmpdir(), 'kpatch-pm-bench') },
    'no-dnf': { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

/** The part of docs/performance.md that this program writes. */
const MARK = /(<!-- measured -->\n)[\s\S]*?(<!-- \/measured -->)/;

function built(scratch: string, node: string): { program: string; bare: string } {
  const place = path.join(scratch, 'dist');
  const done = spawnSync(process.execPath, [path.join(top, 'packaging', 'build.mjs'), place], { stdio: 'inherit' });
  if (done.status !== 0) throw new Error('the program could not be built');
  // As its package leaves it: with compiled code for the node that runs it (packaging/compile.ts); and a copy without.
  const bare = path.join(scratch, 'dist-bare');
  rmSync(bare, { recursive: true, force: true });
  cpSync(place, bare, { recursive: true });
  const compiled = spawnSync(node, [path.join(place, 'compile.cjs')], { stdio: 'inherit' });
  if (compiled.status !== 0) throw new Error('the program could not be compiled');
  return { program: path.join(place, 'kpatch-pm.cjs'), bare: path.join(bare, 'kpatch-pm.cjs') };
}

const { scratch, node } = values;
mkdirSync(scratch, { recursive: true });
const { program, bare } = built(scratch, node);
const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
const peer = !values['no-dnf'] && installed('dnf');
const parts = [`${new Date().toISOString().slice(0, 10)}, ${machineText()}, node ${version}.`];
let missed = 0;
for (const size of values.size) {
  const { packages, compress } = sizeOf(size);
  console.error(`${size}: making the repository`);
  const repository = await benchRepository(scratch, { packages, compress });
  // Three installed kernels: one without live patches, two with.
  const kernels = [5, 20, 39].flatMap((n) => repository.kernels[n]?.uname ?? []);
  const root = benchRoot(path.join(scratch, `root-${size}`), `file://${repository.directory}`, kernels);
  const work = workOn(repository, root, scratch, { node, program, bare, peer });
  const results = await interleaved(work, Number(values.rounds), (text) => console.error(`${size}: ${text}`));
  const judged = judge(goalsOf(packages, compress), results);
  missed += judged.filter(({ met }) => !met).length;
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  parts.push(
    `### ${packages.toLocaleString('en')} packages, ${compress}: ${megabytes(repository.size)} MB packed, ${megabytes(repository.openSize)} MB of XML`,
    resultTable(results),
    ['| goal | found | at most | met |', '| --- | --- | --- | --- |', ...judged.map(({ text }) => text)].join('\n'),
  );
}
const text = parts.join('\n\n');
console.log(text);
if (values.write) {
  const page = path.join(top, 'docs', 'performance.md');
  writeFileSync(
    page,
    readFileSync(page, 'utf8').replace(MARK, (_, head, tail) => `${head}\n${text}\n\n${tail}`),
  );
}
if (values.check && missed > 0) {
  console.error(`${missed} goals are missed.`);
  process.exitCode = 1;
}
