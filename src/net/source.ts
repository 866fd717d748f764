// A repository as something to fetch from: one or several mirrors, which of them lied, how often is tried.
import { type ErrorCode, KpmError } from '../errors.ts';
import type { Access, Net, Opened, OpenOptions } from './access.ts';
import { statusOf } from './failure.ts';
import { below, shown } from './url.ts';

export interface RepoSource {
  readonly id: string;
  readonly access: Access;
  /** Base URLs, best first; asked for once and kept. Raises what fetching a mirror list raises. */
  readonly mirrors: () => Promise<readonly string[]>;
  /** Hosts (`https://host:port`) the configuration itself names: only they see user name and password. */
  readonly configured: ReadonlySet<string>;
  /** Headers for a URL of this repository (identity of a cloud machine); empty as a rule. */
  readonly headers: (url: string) => Promise<Readonly<Record<string, string>>>;
  /** Mirrors that served something wrong in this run: not asked again. */
  readonly bad: Map<string, string>;
  /** Milliseconds of the first pause before a server is asked again; doubled each time. */
  readonly backoff: number;
}

/** The server lied or is damaged: never asked again in this run. */
const LIES: readonly ErrorCode[] = [
  'metadata-mismatch',
  'package-mismatch',
  'corrupt-stream',
  'too-large',
  'decompression-bomb',
  'repomd-malformed',
  'primary-malformed',
  'repo-signature-bad',
  'redirect-refused',
  'tls-untrusted',
];
/** May be over in a moment: worth asking the same server again. */
const PASSING: readonly ErrorCode[] = ['net-unreachable', 'net-timeout', 'net-cut'];
/** Nothing another mirror could do better. */
const FINAL: readonly ErrorCode[] = [
  'tls-material',
  'option-unsupported',
  'checksum-refused',
  'metadata-unsupported',
  'href-refused',
  'program-missing',
  'no-space',
  'repo-key-untrusted',
];

const isPassing = (error: KpmError): boolean => {
  const status = statusOf(error);
  return PASSING.includes(error.code) || (status !== null && (status === 408 || status === 429 || status >= 500));
};

/** Refused, no such host, no route: it is known at once, and seldom passes within seconds. Attempts at one server. */
const MOST_UNREACHABLE = 3;

export type FetchOptions = Omit<OpenOptions, 'access'>;

/**
 * Opens `href` on the mirrors in turn until `use` has read it and found it right; `use` raises when it is not.
 * Passing trouble is tried again with growing pauses, `retries` attempts in all (0: without end, dnf.conf(5)); a server that
 * cannot be reached at all three times.
 * Raises `repo-unavailable` with the last cause, or the cause itself where there is only one mirror.
 */
export async function fromMirrors<T>(
  net: Net,
  source: RepoSource,
  href: string,
  options: FetchOptions,
  use: (opened: Opened, base: string) => Promise<T>,
): Promise<T> {
  const mirrors = await source.mirrors();
  const failures = new Map<string, number>();
  const done = new Set<string>();
  let last: KpmError | null = null;
  for (let attempt = 1; ; attempt++) {
    const base = nextMirror(mirrors, source, failures, done);
    if (base === null || (source.access.retries > 0 && attempt > source.access.retries)) break;
    const failed = failures.get(base) ?? 0;
    if (failed > 0) await pause(source.backoff, failed);
    try {
      return await use(await openAt(net, source, base, href, options), base);
    } catch (error) {
      if (!(error instanceof KpmError) || FINAL.includes(error.code)) throw error;
      last = error;
      failures.set(base, failed + 1);
      if (LIES.includes(error.code)) source.bad.set(base, error.message);
      else if (!isPassing(error) || base.startsWith('file:')) done.add(base);
      else if (error.code === 'net-unreachable' && failed + 1 >= MOST_UNREACHABLE) done.add(base);
    }
  }
  throw exhausted(source, mirrors, last);
}

/** Opens one file on one mirror, with what this mirror may see. */
export async function openAt(
  net: Net,
  source: RepoSource,
  base: string,
  href: string,
  options: FetchOptions,
): Promise<Opened> {
  const url = href === '' ? base : below(base, href, options.what);
  const known = source.configured.has(new URL(url).origin);
  const access = known ? source.access : { ...source.access, username: null, password: null };
  const headers = { ...(await source.headers(url)), ...options.headers };
  return net.open(url, { ...options, access, headers });
}

/** The mirror that failed least, in the given order; null when none is left. */
function nextMirror(
  mirrors: readonly string[],
  source: RepoSource,
  failures: ReadonlyMap<string, number>,
  done: ReadonlySet<string>,
): string | null {
  let best: string | null = null;
  for (const mirror of mirrors) {
    if (done.has(mirror) || source.bad.has(mirror)) continue;
    if (best === null || (failures.get(mirror) ?? 0) < (failures.get(best) ?? 0)) best = mirror;
  }
  return best;
}

async function pause(first: number, failed: number): Promise<void> {
  const most = Math.min(first * 2 ** (failed - 1), 16_000);
  // Half of it at random: a thousand machines must not come back together.
  await new Promise((resolve) => setTimeout(resolve, most * (0.5 + Math.random() / 2)));
}

function exhausted(source: RepoSource, mirrors: readonly string[], last: KpmError | null): KpmError {
  const [bad] = source.bad.values();
  const why = last?.message ?? bad ?? 'it has no usable URL.';
  if (mirrors.length <= 1 && last !== null) return last;
  return new KpmError('repo-unavailable', {
    text: `Repository ${source.id}: none of its ${mirrors.length} mirrors gave what was needed; the last said: ${why}`,
    subject: mirrors[0] === undefined ? source.id : shown(mirrors[0]),
    hint: last?.hint ?? 'Try again later, or go on without it: --disablerepo, skip_if_unavailable=1.',
    cause: last,
  });
}
