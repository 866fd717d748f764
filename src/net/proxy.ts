// Which proxy a request takes: dnf's options first, else the environment as curl reads it
// (curl(1), ENVIRONMENT: http_proxy in lower case only; https_proxy, all_proxy, no_proxy in either case).
import { BlockList, isIP } from 'node:net';
import { KpmError } from '../errors.ts';
import type { ProxyAccess, TlsAccess } from './access.ts';
import { credentialsIn, shown } from './url.ts';

export interface ProxyRoute {
  /** `http://host:port`, without credentials. */
  readonly url: string;
  /** Value of Proxy-Authorization; null when none. */
  readonly authorization: string | null;
  readonly tls: TlsAccess;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The proxy for a URL; null for none. Raises `proxy-failed` for a kind of proxy that is not supported (SOCKS). */
export function proxyFor(url: URL, access: ProxyAccess, env: Env): ProxyRoute | null {
  if (url.protocol === 'file:' || access.use === 'none') return null;
  const text = access.use === 'url' ? access.url : fromEnvironment(url, env);
  if (text === null || text === '') return null;
  const proxy = readProxy(text);
  const inside = credentialsIn(proxy);
  const username = access.username ?? inside?.username ?? null;
  const password = access.password ?? inside?.password ?? '';
  return {
    url: proxy.origin,
    authorization: username === null ? null : basic(username, password),
    tls: access.tls,
  };
}

/** The value of an Authorization header for HTTP basic. */
export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

function readProxy(text: string): URL {
  const full = text.includes('://') ? text : `http://${text}`;
  let url: URL;
  try {
    url = new URL(full);
  } catch {
    throw refused(text, 'is not a URL');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw refused(text, `is a ${url.protocol.slice(0, -1)} proxy, which is not supported`);
  }
  // curl's default port of an http proxy is 1080. URL drops a port that is written and is the scheme's default (:80).
  const written = /^[a-z]+:\/\/(?:[^/@]*@)?(?:\[[^\]]*\]|[^/:]*):\d+/i.test(full);
  if (!written && url.protocol === 'http:') url.port = '1080';
  return url;
}

function refused(text: string, why: string): KpmError {
  return new KpmError('proxy-failed', {
    text: `The proxy ${shown(text.includes('://') ? text : `http://${text}`)} ${why}.`,
    subject: shown(text),
    hint: 'Use an http: or https: proxy with basic authentication, or proxy=_none_ for that repository.',
  });
}

function fromEnvironment(url: URL, env: Env): string | null {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (without(host, env.no_proxy ?? env.NO_PROXY ?? '')) return null;
  const own = url.protocol === 'https:' ? (env.https_proxy ?? env.HTTPS_PROXY) : env.http_proxy;
  return own ?? env.all_proxy ?? env.ALL_PROXY ?? null;
}

/** Whether no_proxy names this host: `*`, a domain or a part of it, an address, a network in CIDR form. */
function without(host: string, list: string): boolean {
  const family = isIP(host);
  for (const raw of list.split(/[\s,]+/)) {
    const entry = raw.toLowerCase().replace(/^\[|\]$/g, '');
    if (entry === '') continue;
    if (entry === '*' || entry === host) return true;
    if (family !== 0) {
      if (inNetwork(host, family, entry)) return true;
      continue;
    }
    const domain = entry.replace(/^\*?\./, '').replace(/\.$/, '');
    if (host === domain || host.endsWith(`.${domain}`)) return true;
  }
  return false;
}

function inNetwork(host: string, family: number, entry: string): boolean {
  const [network = '', bits = ''] = entry.split('/');
  if (isIP(network) !== family || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 6 ? 128 : 32)) return false;
  const type = family === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(network, Number(bits), type);
  return list.check(host, type);
}
