// node packaging/run-ts.mjs test/bench/fleet.ts [--machines 2000 --days 14 --seed 1]: what a fleet costs its mirror.
// The price of each kind of run is measured with the real program over loopback; when machines come is simulated.
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, statSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { top } from '../support/top.ts';
import { benchRoot } from './machine.ts';
import { timeOf } from './measure.ts';
import { random } from './random.ts';
import { benchRepository } from './repository.ts';

const { values } = parseArgs({
  options: {
    machines: { type: 'string', default: '2000' },
    days: { type: 'string', default: '14' },
    seed: { type: 'string', default: '1' },
    scratch: { type: 'string', default: path.join(os.tmpdir(), 'kpatch-pm-bench') },
  },
});

/** What is assumed of the world; what is ours (timer, requests, bytes of metadata) is read or measured. */
const ASSUMED = {
  /** The vendor publishes metadata that often a day. */
  changesPerDay: 1,
  /** Bytes of a live-patch package, and days between two levels of one kernel. */
  packageBytes: 1_000_000,
  daysBetweenLevels: 14,
  kernels: 3,
} as const;

/** packaging/systemd/kpatch-pm.timer: OnCalendar every six hours, RandomizedDelaySec of two. */
const TIMER = { every: 6 * 3600, jitter: 2 * 3600 };

interface Price {
  requests: number;
  /** Bytes the mirror sends, headers included. */
  bytes: number;
  /** Processor time of the machine, ms. */
  cpu: number;
}

interface Mirror {
  readonly url: string;
  directory: string;
  requests: number;
  bytes: number;
  close(): void;
}

/** A server over a directory that can be changed, with conditional requests, counting what it sends. */
async function startMirror(directory: string): Promise<Mirror> {
  const mirror = { url: '', directory, requests: 0, bytes: 0, close: () => server.close() };
  const server = http.createServer((request, response) => {
    mirror.requests++;
    const file = path.join(mirror.directory, path.posix.normalize(request.url ?? '/'));
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const { size } = statSync(file);
    const etag = `"${path.basename(mirror.directory)}-${size}"`;
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, { etag }).end();
      return;
    }
    response.writeHead(200, { etag, 'content-length': size });
    createReadStream(file).pipe(response);
  });
  server.on('connection', (socket) => {
    socket.on('close', () => {
      mirror.bytes += socket.bytesWritten;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  mirror.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return mirror;
}

async function priceOf(mirror: Mirror, argv: readonly string[]): Promise<Price> {
  [mirror.requests, mirror.bytes] = [0, 0];
  const { cpu } = await timeOf({ argv });
  // The socket of a process that ended closes a moment later.
  await new Promise((resolve) => setTimeout(resolve, 200));
  return { requests: mirror.requests, bytes: mirror.bytes, cpu };
}

/** First contact, nothing new, and new metadata, over 12,000 packages (gz). */
async function measured(scratch: string): Promise<{ first: Price; same: Price; changed: Price }> {
  mkdirSync(scratch, { recursive: true });
  const place = path.join(scratch, 'dist-fleet');
  const build = spawnSync(process.execPath, [path.join(top, 'packaging', 'build.mjs'), place], { stdio: 'inherit' });
  if (build.status !== 0) throw new Error('the program could not be built');
  const compiled = spawnSync(process.execPath, [path.join(place, 'compile.cjs')], { stdio: 'inherit' });
  if (compiled.status !== 0) throw new Error('the program could not be compiled');
  const [before, after] = [
    await benchRepository(scratch, { packages: 12_000, compress: 'gz' }),
    await benchRepository(scratch, { packages: 12_001, compress: 'gz' }),
  ];
  const mirror = await startMirror(before.directory);
  const kernels = [20, 30, 39].flatMap((n) => before.kernels[n]?.uname ?? []);
  const root = benchRoot(path.join(scratch, 'root-fleet'), mirror.url, kernels);
  const argv = [process.execPath, path.join(place, 'kpatch-pm.cjs'), '--installroot', root.path];
  argv.push('--refresh', 'install', '--dry-run');
  try {
    const first = await priceOf(mirror, argv);
    const same = await priceOf(mirror, argv);
    mirror.directory = after.directory;
    const changed = await priceOf(mirror, argv);
    return { first, same, changed };
  } finally {
    mirror.close();
  }
}

interface Fleet {
  requests: number;
  bytes: number;
  cpu: number;
  /** Requests in the busiest second, and bytes asked for in it. */
  peakRequests: number;
  peakBytes: number;
}

/** Plays `days` days of `machines` machines, second by second. */
function play(machines: number, days: number, { same, changed }: { same: Price; changed: Price }): Fleet {
  const source = random(Number(values.seed));
  const seconds = days * 86_400;
  const requests = new Uint32Array(seconds + TIMER.every);
  const bytes = new Float64Array(seconds + TIMER.every);
  const changes = Array.from({ length: days * ASSUMED.changesPerDay }, () => source.below(seconds)).sort(
    (a, b) => a - b,
  );
  const levels = Array.from({ length: ASSUMED.kernels }, () =>
    Array.from({ length: Math.ceil(days / ASSUMED.daysBetweenLevels) }, (_, n) =>
      Math.floor((n + source.unit()) * ASSUMED.daysBetweenLevels * 86_400),
    ),
  ).flat();
  let cpu = 0;
  const since = (list: readonly number[], from: number, to: number): number => {
    let count = 0;
    for (const moment of list) if (moment > from && moment <= to) count++;
    return count;
  };
  for (let machine = 0; machine < machines; machine++) {
    let last = -1;
    for (let slot = 0; slot < seconds; slot += TIMER.every) {
      const at = slot + source.below(TIMER.jitter);
      const price = since(changes, last, at) > 0 ? changed : same;
      const packages = since(levels, last, at);
      requests[at] = (requests[at] ?? 0) + price.requests + packages;
      bytes[at] = (bytes[at] ?? 0) + price.bytes + packages * (ASSUMED.packageBytes + 300);
      cpu += price.cpu;
      last = at;
    }
  }
  const sum = (list: Iterable<number>): number => [...list].reduce((total, one) => total + one, 0);
  return {
    requests: sum(requests),
    bytes: sum(bytes),
    cpu,
    peakRequests: requests.reduce((most, one) => Math.max(most, one), 0),
    peakBytes: bytes.reduce((most, one) => Math.max(most, one), 0),
  };
}

const [machines, days] = [Number(values.machines), Number(values.days)];
const prices = await measured(values.scratch);
const fleet = play(machines, days, prices);
const number = (value: number, digits = 0): string => value.toLocaleString('en', { maximumFractionDigits: digits });
const lines = ['| run | requests | bytes from the mirror | CPU ms |', '| --- | --- | --- | --- |'];
for (const [name, label] of [
  ['first', 'first contact'],
  ['same', 'nothing new'],
  ['changed', 'new metadata'],
] as const) {
  const { requests, bytes, cpu } = prices[name];
  lines.push(`| ${label} | ${requests} | ${number(bytes)} | ${number(cpu)} |`);
}
const MILLION = 1_000_000;
const large = play(MILLION, days, prices);
const row = (what: string, of: (fleet: Fleet, machines: number) => string): string =>
  `| ${what} | ${of(fleet, machines)} | ${of(large, MILLION)} |`;
const seconds = days * 86_400;
lines.push(
  '',
  `| ${days} days | ${number(machines)} machines | ${number(MILLION)} machines |`,
  '| --- | --- | --- |',
  row('requests per machine and day', ({ requests }, count) => number(requests / count / days, 2)),
  row('MB per machine and day', ({ bytes }, count) => number(bytes / count / days / 1e6, 2)),
  row('CPU ms per machine and day', ({ cpu }, count) => number(cpu / count / days)),
  row('requests per second, mean', ({ requests }) => number(requests / seconds, 2)),
  row('requests in the busiest second', ({ peakRequests }) => number(peakRequests)),
  row('Mbit/s, mean', ({ bytes }) => number((bytes * 8) / seconds / 1e6, 1)),
  row('MB asked for in the busiest second', ({ peakBytes }) => number(peakBytes / 1e6)),
);
console.log(lines.join('\n'));
