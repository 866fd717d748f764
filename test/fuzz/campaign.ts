// A campaign: many inputs, in blocks, each block in a process of its own.
//   npm run fuzz -- [--inputs 2000000] [--seed 1] [--workers 1] [--corpus DIR] [--record FILE]
//   npm run fuzz -- --seed 1 --index 4711      one input again, here
// Ends with status 1 when there was a finding.
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { top } from '../support/top.ts';
import { addTally, emptyTally, type Finding, inputOf, MAX_KB, runInputs, type Tally } from './engine.ts';
import { allTargets } from './targets/all.ts';

const BLOCK = 50_000;
/** Milliseconds without a word after which a block counts as hung. */
const PATIENCE = 60_000;

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '1' },
    corpus: { type: 'string', default: '' },
    record: { type: 'string', default: '' },
    index: { type: 'string' },
  },
});
const seed = Number(values.seed);
const inputs = Number(values.inputs);
const total = emptyTally();

interface Ended {
  readonly tally: Tally | null;
  /** The last input that was begun, as far as was told. */
  readonly at: number;
  readonly why: string;
}

function block(from: number, to: number, careful: boolean): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const worker = path.join(top, 'test/fuzz/worker.ts');
    const args = [worker, seed, from, to, careful ? 1 : 0].map(String);
    const child: ChildProcess = fork(path.join(top, 'packaging/run-ts.mjs'), args, {
      cwd: top,
      execArgv: ['--max-semi-space-size=4', '--max-old-space-size=120'],
      env: { ...process.env, KPATCH_PM_FUZZ_CORPUS: values.corpus && path.resolve(values.corpus) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    let at = from;
    let tally: Tally | null = null;
    let why = '';
    let ready = false;
    const hung = (): void => {
      why = `no end within ${PATIENCE} ms`;
      child.kill('SIGKILL');
    };
    let timer = setTimeout(hung, PATIENCE);
    child.on('message', (message: { ready?: boolean; at?: number; tally?: Tally }) => {
      clearTimeout(timer);
      timer = setTimeout(hung, PATIENCE);
      ready ||= message.ready ?? false;
      at = message.at ?? at;
      tally = message.tally ?? tally;
    });
    child.on('exit', (status, signal) => {
      clearTimeout(timer);
      if (ready) resolve({ tally, at, why: why || `status ${status ?? signal}` });
      else reject(new Error(`the samples could not be made ready (status ${status ?? signal})`));
    });
  });
}

/** A block; where its process died, the input that killed it is found and the rest goes on behind it. */
async function wholeBlock(from: number, to: number): Promise<void> {
  for (let start = from; start < to; ) {
    const first = await block(start, to, false);
    if (first.tally) {
      addTally(total, first.tally);
      return;
    }
    const again = await block(first.at, Math.min(to, first.at + 1000), true);
    if (again.tally) addTally(total, again.tally);
    const kind = again.why.startsWith('no end') ? 'hang' : 'crash';
    total.findings.push({ target: 'process', seed, index: again.at, kind, text: again.why, input: null });
    start = again.at + 1;
  }
}

function findingText({ target, index, kind, text }: Finding): string {
  return `FINDING ${kind} in ${target}, seed ${seed}, input ${index}: ${text.split('\n').slice(0, 4).join('\n    ')}`;
}

async function campaign(): Promise<void> {
  const blocks = Array.from({ length: Math.ceil(inputs / BLOCK) }, (_, n) => n * BLOCK);
  let done = 0;
  let told = 0;
  const work = async (): Promise<void> => {
    for (let from = blocks.shift(); from !== undefined; from = blocks.shift()) {
      const to = Math.min(inputs, from + BLOCK);
      await wholeBlock(from, to);
      done += to - from;
      for (; told < total.findings.length; told++) console.log(findingText(total.findings[told] as Finding));
      console.log(
        `${done} of ${inputs} inputs, ${total.findings.length} findings, slowest ${Math.round(total.slowest.ms)} ms (${total.slowest.target} ${total.slowest.index}), most memory ${Math.round(total.maxRssKb / 1024)} MB`,
      );
    }
  };
  await Promise.all(Array.from({ length: Number(values.workers) }, work));
  if (total.maxRssKb > MAX_KB) {
    total.findings.push({
      target: 'process',
      seed,
      index: -1,
      kind: 'memory',
      text: `${total.maxRssKb} KB`,
      input: null,
    });
  }
  const { version } = JSON.parse(readFileSync(path.join(top, 'package.json'), 'utf8'));
  const record = {
    version,
    node: process.version,
    seed,
    inputs: Object.values(total.targets).reduce((sum, { inputs: n }) => sum + n, 0),
    corpus: values.corpus !== '',
    slowest: { ...total.slowest, ms: Math.round(total.slowest.ms) },
    most_memory_mb: Math.round(total.maxRssKb / 1024),
    targets: Object.fromEntries(Object.entries(total.targets).sort()),
    findings: total.findings,
  };
  if (values.record) writeFileSync(values.record, `${JSON.stringify(record, null, 2)}\n`);
  console.log(JSON.stringify({ ...record, findings: record.findings.length, targets: undefined }));
  if (total.findings.length > 0) process.exitCode = 1;
}

async function single(index: number): Promise<void> {
  const targets = await allTargets(values.corpus || null);
  const { target, input } = inputOf(targets, seed, index);
  console.log(`${target.name}: ${input.length} bytes`);
  if (values.record) writeFileSync(values.record, input);
  const tally = await runInputs(targets, seed, index, index + 1, () => undefined);
  console.log(
    JSON.stringify({ ...tally, findings: tally.findings.map(({ kind, text }) => `${kind}: ${text}`) }, null, 2),
  );
}

await (values.index === undefined ? campaign() : single(Number(values.index)));
