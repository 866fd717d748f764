// Connections: one undici dispatcher for each way of reaching servers (proxy, certificates, address family), made once.
import type { LookupFunction } from 'node:net';
import type { Dispatcher } from 'undici';
import type { Root } from '../host/root.ts';
import type { Access } from './access.ts';
import { type ProxyRoute, proxyFor } from './proxy.ts';
import { checkServer, tlsMaterial } from './tls.ts';

const CONNECTIONS = 8;

export interface Dispatchers {
  /** The dispatcher for a URL. Raises `tls-material`, `proxy-failed`. */
  for(url: URL, access: Access): Promise<Dispatcher>;
  close(): Promise<void>;
}

interface Around {
  readonly host: Root;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly lookup?: LookupFunction;
}

/** Makes dispatchers on demand; undici itself is loaded with the first one. */
export function dispatchers(around: Around): Dispatchers {
  const made = new Map<string, Promise<Dispatcher>>();
  return {
    for(url, access) {
      const proxy = proxyFor(url, access.proxy, around.env);
      const key = JSON.stringify([url.protocol, access.ssl, access.ipResolve, access.timeout, proxy]);
      const known = made.get(key);
      if (known) return known;
      const dispatcher = build(around, url.protocol === 'https:', access, proxy);
      made.set(key, dispatcher);
      return dispatcher;
    },
    async close() {
      for (const dispatcher of await Promise.allSettled(made.values())) {
        if (dispatcher.status === 'fulfilled') await dispatcher.value.destroy();
      }
      made.clear();
    },
  };
}

async function build(around: Around, secure: boolean, access: Access, proxy: ProxyRoute | null): Promise<Dispatcher> {
  const { Agent, ProxyAgent } = await import('./undici.ts');
  const timeout = access.timeout * 1000;
  const family = {
    ...(access.ipResolve === 'any' ? {} : { family: access.ipResolve }),
    ...(around.lookup ? { lookup: around.lookup } : {}),
  };
  const server = secure ? tlsOptions(tlsMaterial(around.host, access.ssl)) : {};
  const times = { headersTimeout: timeout, bodyTimeout: timeout };
  if (proxy === null) {
    return new Agent({ connections: CONNECTIONS, ...times, connect: { timeout, ...family, ...server } });
  }
  const toProxy = proxy.url.startsWith('https:') ? tlsOptions(tlsMaterial(around.host, proxy.tls)) : {};
  return new ProxyAgent({
    uri: proxy.url,
    ...(proxy.authorization === null ? {} : { token: proxy.authorization }),
    // Plain http is asked of the proxy as proxies expect it (absolute URL); CONNECT to port 80 is usually forbidden.
    proxyTunnel: secure,
    connections: CONNECTIONS,
    ...times,
    proxyTls: { timeout, ...family, ...toProxy },
    requestTls: { timeout, ...server },
  });
}

function tlsOptions(material: ReturnType<typeof tlsMaterial>): object {
  return { secureContext: material.context, rejectUnauthorized: material.verify, checkServerIdentity: checkServer };
}
