// Staging: which usable levels this machine may take by itself now, which must wait, and until when. What a person names
// is not staged. docs/fleet.md says why the dates and the places are what they are.
import { type Because, because } from '../domain/because.ts';
import { compareEvr } from '../domain/evr.ts';
import { formatNevra, type Nevra, sameNevra } from '../domain/nevra.ts';
import { COMMAND_LINE, type OfferedPackage } from '../domain/package.ts';
import type { InstallAction } from '../domain/plan.ts';
import type { World } from '../domain/world.ts';
import { looksEmpty } from './schemes/rhel.ts';

/** A level that waits for its turn on this machine. */
export interface Waiting {
  readonly package: OfferedPackage;
  readonly because: Because;
  /** ISO time at which its turn comes; null: not by itself, or nobody knows. */
  readonly until: string | null;
  /** Seconds since 1970 at which it was published; null when nobody says. */
  readonly published: number | null;
}

export interface Staged {
  /** May be taken, the highest first. */
  readonly released: readonly OfferedPackage[];
  readonly waiting: readonly Waiting[];
}

/** Sorts usable levels by whether their turn has come. `above`: the installed level, from which the fixes are counted. */
export function stageLevels(usable: readonly OfferedPackage[], above: Nevra | null, world: World): Staged {
  const released: OfferedPackage[] = [];
  const waiting: Waiting[] = [];
  for (const pkg of usable) {
    const wait = bypassFor(pkg, above, world) === null ? waitFor(pkg, world) : null;
    if (wait === null) released.push(pkg);
    else waiting.push(wait);
  }
  return { released, waiting };
}

/**
 * Why a level does not wait although its turn has not come, as one sentence: a fix it brings over the installed level
 * is listed. Null where no rule of that kind fits, or none is needed.
 */
export function bypassFor(pkg: OfferedPackage, above: Nevra | null, world: World): string | null {
  const { rollout } = world;
  if (rollout === undefined || waitFor(pkg, world) === null) return null;
  for (const { id, severity, cves } of advisoriesBetween(pkg, above, world)) {
    if (severity !== null && rollout.bypassSeverity.includes(severityWord(severity))) {
      return `${formatNevra(pkg)} does not wait for its turn: ${id} is ${severity} (rollout.bypass_severity)`;
    }
    const cve = cves.find((one) => rollout.bypassCves.includes(one));
    if (cve) return `${formatNevra(pkg)} does not wait for its turn: ${id} fixes ${cve} (rollout.bypass_cves)`;
  }
  return null;
}

/** A vendor's word for a severity as the options name it. */
function severityWord(text: string): string {
  const word = text.trim().toLowerCase();
  return word === 'medium' ? 'moderate' : word === 'high' ? 'important' : word;
}

/** What the rollout alone says about a level; null when its turn has come, or it is not staged. */
export function waitFor(pkg: OfferedPackage, world: World): Waiting | null {
  const { rollout } = world;
  // A subscription changes nothing that runs; a file on the command line was named.
  if (rollout === undefined || looksEmpty(pkg) || pkg.repo === COMMAND_LINE) return null;
  const name = formatNevra(pkg);
  const place = rollout.places[name] ?? 100;
  const step = rollout.steps.find(({ percent }) => place < percent);
  const published = publishedAt(pkg, world);
  if (step === undefined) {
    const share = rollout.steps.at(-1)?.percent ?? 0;
    const text = `waits: rollout.percent is ${share}, and the place of this machine is ${place.toFixed(2)}`;
    return { package: pkg, published, until: null, because: because('later-cohort', text) };
  }
  const delay = Math.max(step.after, rollout.minAge);
  if (delay === 0) return null;
  const byAge = rollout.minAge >= step.after;
  const code = byAge ? 'min-age' : 'later-cohort';
  const rule = byAge ? 'min_age' : `rollout.percent reaches ${step.percent} (this machine: ${place.toFixed(2)})`;
  if (published === null) {
    const text = `waits: ${rule} counts from when it was published, which no metadata says`;
    return { package: pkg, published, until: null, because: because(code, text) };
  }
  const due = Math.min(published + delay, LAST);
  if (Date.parse(world.time) / 1000 >= due) return null;
  const until = new Date(due * 1000).toISOString();
  const when = `until ${minute(until)}: published ${minute(new Date(published * 1000).toISOString())}`;
  const text = `waits ${when}, and ${rule} ${byAge ? 'is' : 'after'} ${span(delay)}`;
  return { package: pkg, published, until, because: because(code, text) };
}

/** The whole sentence, with the way out. */
export function waitingText({ package: pkg, because: why }: Waiting): string {
  return `${formatNevra(pkg)} ${why.text}; to have it now: kpatch-pm install ${pkg.name}`;
}

const minute = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`;

function span(seconds: number): string {
  const [size, word] = seconds % DAY === 0 ? [DAY, 'day'] : seconds % 3600 === 0 ? [3600, 'hour'] : [60, 'minute'];
  const count = Math.ceil(seconds / size);
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/**
 * When a level was published, in seconds since 1970; null when nobody says. The day on which the earliest advisory that
 * lists it was issued: it does not change when a mirror is made anew. Without one, the time of its file in the repository.
 * Never before it was built.
 */
export function publishedAt(pkg: OfferedPackage, world: World): number | null {
  const issued = world.advisories
    .filter(({ packages }) => packages.some((one) => sameNevra(one, pkg)))
    .flatMap((advisory) => issuedAt(advisory.issued) ?? []);
  const said = issued.length > 0 ? Math.min(...issued) : (pkg.fileTime ?? null);
  const times = [said, pkg.buildTime].filter((time) => time !== null);
  return times.length > 0 ? Math.min(Math.max(...times), LAST) : null;
}

/** The last moment that ISO times can tell: metadata may say anything. */
const LAST = Date.parse('9999-12-31T23:59:59Z') / 1000;

const DAY = 86_400;

/** `2024-01-10 08:30:00`, `2024-01-10`, or seconds, as UTC; null when it is none of them. A bare day counts from its end. */
export function issuedAt(text: string | null): number | null {
  if (text === null) return null;
  if (/^\d{9,10}$/.test(text)) return Number(text);
  const [, day, clock] = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2})?))?/.exec(text) ?? [];
  const time = day === undefined ? Number.NaN : Date.parse(`${day}T${clock ?? '00:00:00'}Z`);
  // Vendors that know only the day write midnight.
  const bare = clock === undefined || /^00:00(?::00)?$/.test(clock);
  return Number.isNaN(time) ? null : Math.floor(time / 1000) + (bare ? DAY : 0);
}

/** Advisories for levels of the same stream that the machine would gain: levels are cumulative. In a fixed order. */
function advisoriesBetween(pkg: Nevra, above: Nevra | null, world: World): World['advisories'] {
  const between = world.advisories.filter(({ packages }) =>
    packages.some(
      (one) =>
        one.name === pkg.name &&
        one.arch === pkg.arch &&
        compareEvr(one, pkg) <= 0 &&
        (above === null || compareEvr(one, above) > 0),
    ),
  );
  return between.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

/** CVEs that stay open while a level waits; null when the advisories of its repository are not known. */
export function cvesWaiting(pkg: OfferedPackage, above: Nevra | null, world: World): string[] | null {
  const state = world.advisoryStates.find(({ repo }) => repo === pkg.repo);
  if (state === undefined || state.state === 'unread') return null;
  return [...new Set(advisoriesBetween(pkg, above, world).flatMap(({ cves }) => cves))].sort();
}

/** The sentence for a level that a person named before its turn; null when it need not wait. */
export function ahead(
  { package: pkg, replaces }: Pick<InstallAction, 'package' | 'replaces'>,
  world: World,
): string | null {
  const wait = bypassFor(pkg, replaces, world) === null ? waitFor(pkg, world) : null;
  if (wait === null) return null;
  const when = wait.until === null ? 'not yet' : `not before ${minute(wait.until)}`;
  return `${formatNevra(pkg)} is taken because it was named; the rollout would have taken it ${when}`;
}
