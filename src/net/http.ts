// http: and https: URLs over undici: statuses, redirects, credentials, limits.
import type { Dispatcher } from 'undici';
import { KpmError } from '../errors.ts';
import type { Access, Opened, OpenOptions } from './access.ts';
import type { Dispatchers } from './dispatch.ts';
import { statusFailure, transferFailure } from './failure.ts';
import { paced, tooLarge } from './pace.ts';
import { basic } from './proxy.ts';
import { credentialsIn, readUrl, shown } from './url.ts';

/** curl's limit where librepo sets it; enough for any CDN. */
const MAX_REDIRECTS = 6;
const REDIRECTS = [301, 302, 303, 307, 308];

interface Hop {
  readonly url: URL;
  /** Whether this is still the server that was asked: only it sees credentials, certificates and extra headers. */
  readonly same: boolean;
}

/** Opens an http or https URL, following redirects. */
export async function openHttp(
  start: URL,
  options: OpenOptions,
  connections: Dispatchers,
  agent: string,
): Promise<Opened> {
  if (options.access.sslVerifyStatus) throw noStapling(options.what, shown(start));
  const login = credentials(start, options.access);
  let hop: Hop = { url: bare(start), same: true };
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const answer = await request(hop, options, connections, login, agent);
    if (!REDIRECTS.includes(answer.statusCode)) return opened(answer, hop, options);
    await discard(answer);
    hop = redirected(hop, start, one(answer.headers.location), options.what);
  }
  throw new KpmError('redirect-refused', {
    text: `${options.what}: ${shown(start)} redirects more than ${MAX_REDIRECTS} times.`,
    subject: shown(start),
    hint: 'The server sends requests in a circle; check the URL of that repository.',
  });
}

function noStapling(what: string, url: string): KpmError {
  return new KpmError('option-unsupported', {
    text: `${what}: sslverifystatus is set, and stapled certificate status cannot be checked here.`,
    subject: url,
    hint: 'Leave sslverifystatus unset for that repository, or do not use it with kpatch-pm.',
  });
}

function credentials(start: URL, access: Access): string | null {
  const inside = credentialsIn(start);
  if (inside) return basic(inside.username, inside.password);
  return access.username === null || access.username === '' ? null : basic(access.username, access.password ?? '');
}

function bare(url: URL): URL {
  const copy = new URL(url);
  copy.username = '';
  copy.password = '';
  copy.hash = '';
  return copy;
}

async function request(
  hop: Hop,
  options: OpenOptions,
  connections: Dispatchers,
  login: string | null,
  agent: string,
): Promise<Dispatcher.ResponseData> {
  const { access, what } = options;
  const reach = hop.same ? access : { ...access, ssl: { ...access.ssl, clientCert: null, clientKey: null } };
  const headers: Record<string, string> = { 'user-agent': access.userAgent ?? agent, accept: '*/*' };
  if (options.from) headers.range = `bytes=${options.from}-`;
  if (hop.same) {
    Object.assign(headers, options.headers);
    if (login !== null) headers.authorization = login;
  }
  const dispatcher = await connections.for(hop.url, reach);
  const { send } = await import('./undici.ts');
  try {
    const answer = await send(dispatcher, hop.url, { method: options.method ?? 'GET', headers });
    // Whoever reads the body is told of its errors there; a body that is left early reports to nobody else.
    answer.body.on('error', () => {});
    return answer;
  } catch (error) {
    throw error instanceof KpmError ? error : transferFailure(error, what, shown(hop.url));
  }
}

function redirected(from: Hop, start: URL, location: string | null, what: string): Hop {
  const refuse = (why: string): KpmError =>
    new KpmError('redirect-refused', {
      text: `${what}: ${shown(from.url)} ${why}.`,
      subject: shown(from.url),
      hint: 'Ask whoever runs the server, or use the final URL in the repository file.',
    });
  if (location === null) throw refuse('redirects without saying where');
  let to: URL;
  try {
    to = new URL(location, from.url);
  } catch {
    throw refuse('redirects to something that is no URL');
  }
  if (to.protocol !== 'http:' && to.protocol !== 'https:') throw refuse(`redirects to ${to.protocol} which is refused`);
  if (from.url.protocol === 'https:' && to.protocol !== 'https:') {
    throw refuse(`redirects to plain http (${shown(to)}), which is refused`);
  }
  const url = bare(readUrl(to.href, what));
  return { url, same: from.same && url.origin === bare(start).origin };
}

const one = (value: string | string[] | undefined): string | null => (Array.isArray(value) ? value[0] : value) ?? null;

async function opened(answer: Dispatcher.ResponseData, hop: Hop, options: OpenOptions): Promise<Opened> {
  const { access, what, maxBytes } = options;
  const url = shown(hop.url);
  const accepted = options.accept ?? (options.from ? [200, 206] : [200]);
  if (!accepted.includes(answer.statusCode)) {
    await discard(answer);
    throw statusFailure(answer.statusCode, what, url, hop.same ? access.ssl.clientCert : null);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    const text = one(value);
    if (text !== null) headers[name] = text;
  }
  const length = headers['content-length'];
  const size = length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : null;
  if (size !== null && size > maxBytes) {
    // Destroying an unread body makes undici raise an error event; what matters is said by the next line.
    answer.body.on('error', () => {});
    answer.body.destroy();
    throw tooLarge(what, url, maxBytes);
  }
  const body = paced(answer.body, {
    maxBytes,
    timeout: access.timeout,
    minrate: access.minrate,
    throttle: access.throttle,
    what,
    url,
  });
  return { status: answer.statusCode, headers, body, size, url };
}

async function discard(answer: Dispatcher.ResponseData): Promise<void> {
  // An error page is of no interest; a short one is read so that the connection can be used again.
  await answer.body.dump({ limit: 64 * 1024, signal: AbortSignal.timeout(1000) }).catch(() => answer.body.destroy());
}
