// Which kernel to run: who has a live-patch stream, how old its last level is, when it ends, and what an ordinary update of
// the kernel would do to the coverage. No metadata says when a stream ends: every date but a policy's is an estimate.
import type { InstalledKernel } from '../domain/kernel.ts';
import { formatNevra } from '../domain/nevra.ts';
import type { OfferedKernel, OfferedPackage } from '../domain/package.ts';
import type { World } from '../domain/world.ts';
import { compareKernels, kernelEvr, kernelNames } from './fixes.ts';
import { targetOf } from './schemes/rhel.ts';
import { type StreamReport, streams } from './streams.ts';
import { unseen } from './unseen.ts';

/** What an administrator wrote about kernels whose release a pattern fits. */
export interface StreamPolicy {
  readonly fits: (release: string) => boolean;
  /** `YYYY-MM-DD`. */
  readonly ends: string;
  readonly note: string;
}

export interface StreamEnd {
  /** `policy`: somebody wrote it down; `rule`: the vendor's rule, seen in metadata; `age`: from the first level's date. */
  readonly how: 'policy' | 'rule' | 'age' | 'unknown';
  /** `YYYY-MM-DD`; null when only that it has ended, or nothing, can be said. */
  readonly date: string | null;
  readonly ended: boolean | null;
  readonly estimate: boolean;
  readonly text: string;
}

export interface AdvisedStream extends StreamReport {
  /** Build time of the newest level, ISO; null when unknown or nothing is on offer. */
  readonly lastLevel: string | null;
  /** Whole days since then. */
  readonly ageDays: number | null;
  readonly end: StreamEnd;
}

export interface UpdateEffect {
  /** The kernel an ordinary update would bring; null when none. */
  readonly kernel: string | null;
  /** `unknown`: not every repository could be read, or none is enabled. */
  readonly coverage: 'unchanged' | 'kept' | 'lost' | 'gained' | 'none' | 'unknown';
  readonly text: string;
}

export interface Advice {
  readonly streams: readonly AdvisedStream[];
  readonly update: UpdateEffect;
  readonly next: readonly string[];
}

const DAY = 86_400;
/** "Each kernel about one year": the vendor's life cycle page on kernel live patching. */
const USUAL_DAYS = 365;
const EXTENDED = /(?:^|[-_])(?:eus|e4s|aus|tus|els|elp)(?:[-_]|$)/;

export function advise(world: World, policies: readonly StreamPolicy[]): Advice {
  const advised = streams(world).map((stream) => withEnd(stream, world, policies));
  const update = effect(world, advised);
  return { streams: advised, update, next: commands(world, advised, update) };
}

function withEnd(stream: StreamReport, world: World, policies: readonly StreamPolicy[]): AdvisedStream {
  const built = stream.newest?.buildTime ?? null;
  const now = Date.parse(world.time) / 1000;
  return {
    ...stream,
    lastLevel: built === null || built <= 0 ? null : new Date(built * 1000).toISOString(),
    ageDays: built === null || built <= 0 ? null : Math.max(0, Math.floor((now - built) / DAY)),
    end: endOf(stream, world, policies, now),
  };
}

function endOf(stream: StreamReport, world: World, policies: readonly StreamPolicy[], now: number): StreamEnd {
  const policy = policies.find(({ fits }) => fits(stream.release));
  if (policy) {
    const ended = Date.parse(`${policy.ends}T23:59:59Z`) / 1000 < now;
    const note = policy.note === '' ? '' : ` (${policy.note})`;
    return {
      how: 'policy',
      date: policy.ends,
      ended,
      estimate: false,
      text: `${ended ? 'ended' : 'ends'} ${policy.ends}${note}`,
    };
  }
  if (!stream.supported) {
    const text = stream.known ? 'has no stream' : 'is not known';
    return { how: 'unknown', date: null, ended: null, estimate: false, text };
  }
  const next = nextMinor(stream.release, world);
  if (next !== null) {
    const text = `probably closed (estimate): kernels of ${next} are on offer and no extended-support repository is enabled`;
    return { how: 'rule', date: null, ended: true, estimate: true, text };
  }
  const first = firstLevel(stream.release, world);
  if (first === null) return { how: 'unknown', date: null, ended: null, estimate: true, text: 'has no known end' };
  const until = first + USUAL_DAYS * DAY;
  const date = new Date(until * 1000).toISOString().slice(0, 10);
  const text = `${until < now ? 'ended' : 'ends'} about ${date} (estimate: a year after its first level)`;
  return { how: 'age', date, ended: until < now, estimate: true, text };
}

/** The dist of a newer minor release whose kernels are on offer, where that ends the stream; null where it does not. */
function nextMinor(release: string, world: World): string | null {
  const own = /\.el(\d+)_(\d+)/.exec(release);
  if (!own || world.repositories.some(({ id }) => EXTENDED.test(id.toLowerCase()))) return null;
  let highest: number | null = null;
  for (const { uname, excludedBy } of world.offeredKernels) {
    const other = excludedBy === null ? /\.el(\d+)_(\d+)/.exec(uname) : null;
    if (other && other[1] === own[1] && Number(other[2]) > Number(own[2]))
      highest = Math.max(highest ?? 0, Number(other[2]));
  }
  return highest === null ? null : `el${own[1]}_${highest}`;
}

/** Build time of the oldest package of the stream, usable or not. */
function firstLevel(release: string, world: World): number | null {
  const times = world.offered.flatMap((pkg: OfferedPackage) => {
    const target = targetOf(pkg);
    return 'kernel' in target && target.kernel === release && (pkg.buildTime ?? 0) > 0 ? [pkg.buildTime as number] : [];
  });
  return times.length === 0 ? null : Math.min(...times);
}

/** What an ordinary `dnf update` would do: bring the newest kernel that dnf may see, and boot it next time. */
function effect(world: World, advised: readonly AdvisedStream[]): UpdateEffect {
  const now = world.kernels.find(({ running }) => running) ?? newestInstalled(world.kernels);
  if (!now) return { kernel: null, coverage: 'none', text: 'no kernel is installed' };
  const stream = (release: string): AdvisedStream | undefined => advised.find((one) => one.release === release);
  const newest = newestOffered(world, now, (release) => stream(release)?.supported ?? false);
  const top =
    newestInstalled(world.kernels.filter((kernel) => kernelNames(kernel).join() === kernelNames(now).join())) ?? now;
  if (newest === null || compareKernels(newest, kernelEvr(top)) <= 0) return noNewer(world);
  return { kernel: newest.uname, ...change(now.release, newest.uname, stream(now.release), stream(newest.uname)) };
}

function noNewer(world: World): UpdateEffect {
  return unseen(world) === null
    ? { kernel: null, coverage: 'unchanged', text: 'no newer kernel is on offer' }
    : { kernel: null, coverage: 'unknown', text: 'whether a newer kernel is on offer is not known' };
}

/** From one kernel to another: what becomes of the coverage. */
function change(
  from: string,
  to: string,
  before: StreamReport | undefined,
  after: StreamReport | undefined,
): Pick<UpdateEffect, 'coverage' | 'text'> {
  const brings = `brings ${to}`;
  if (after?.known === false)
    return { coverage: 'unknown', text: `${brings}; whether it has live patches is not known` };
  if (before?.known === false)
    return { coverage: 'unknown', text: `${brings}, which ${after?.supported ? 'has' : 'has no'} live patches` };
  const coverage = before?.supported ? (after?.supported ? 'kept' : 'lost') : after?.supported ? 'gained' : 'none';
  const texts = {
    kept: 'which has live patches too',
    lost: `which has no live patches, as ${from} has`,
    gained: 'which has live patches',
    none: 'which has no live patches either',
  };
  return { coverage, text: `${brings}, ${texts[coverage]}` };
}

function newestOffered(
  world: World,
  now: InstalledKernel,
  supports: (release: string) => boolean,
): OfferedKernel | null {
  const names = kernelNames(now);
  const visible = world.offeredKernels.filter(
    (kernel) =>
      kernel.excludedBy === null &&
      kernel.arch === now.arch &&
      names.includes(kernel.name) &&
      (!world.settings.autofilter || supports(kernel.uname)),
  );
  return visible.sort((a, b) => compareKernels(b, a))[0] ?? null;
}

const newestInstalled = (kernels: readonly InstalledKernel[]): InstalledKernel | null =>
  [...kernels].sort((a, b) => compareKernels(kernelEvr(b), kernelEvr(a)))[0] ?? null;

function commands(world: World, advised: readonly AdvisedStream[], update: UpdateEffect): string[] {
  if (update.coverage === 'lost' && !world.settings.autofilter) return ['kpatch-pm auto-filter'];
  const running = advised.find((one) => one.running);
  const look = unseen(world) !== null && world.repositories.length > 0 ? ['kpatch-pm makecache'] : [];
  if (running?.known === false) return look;
  const open = update.coverage === 'unknown' ? look : [];
  if (running?.supported) return open;
  const best = advised.find(
    (one) => one.supported && one.end.ended !== true && (one.installed || one.offeredBy.length > 0),
  );
  if (!best || best.release === running?.release) return open;
  const kernel = world.offeredKernels.find((one) => one.uname === best.release);
  return best.installed || !kernel ? open : [`dnf install ${formatNevra(kernel)}`];
}
