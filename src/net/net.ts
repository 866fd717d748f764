// The one way to fetch something: file:, http: and https: behind one function.
import type { LookupFunction } from 'node:net';
import { KpmError } from '../errors.ts';
import type { Root } from '../host/root.ts';
import type { Net } from './access.ts';
import { dispatchers } from './dispatch.ts';
import { openFile } from './file.ts';
import { openHttp } from './http.ts';
import { readUrl } from './url.ts';

export interface Surroundings {
  /** The running system's root: file: URLs and certificates are the host's. */
  readonly host: Root;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Version of kpatch-pm, for User-Agent. */
  readonly version: string;
  /** How names become addresses; the system's way unless said. */
  readonly lookup?: LookupFunction;
}

/** Makes the client. Nothing is loaded and no connection is made before the first `open` of an http(s) URL. */
export function openNet(surroundings: Surroundings): Net {
  const connections = dispatchers(surroundings);
  const agent = `kpatch-pm/${surroundings.version}`;
  return {
    async open(text, options) {
      const url = readUrl(text, options.what);
      if (url.protocol === 'file:') return openFile(url, options, surroundings.host);
      return openHttp(url, options, connections, agent);
    },
    close: () => connections.close(),
  };
}

/** A client that opens file: URLs only: before the network is up, everything else would only wait. Raises `net-offline`. */
export function withoutNetwork(net: Net): Net {
  return {
    async open(url, options) {
      if (readUrl(url, options.what).protocol === 'file:') return net.open(url, options);
      throw new KpmError('net-offline', {
        text: `${options.what} is not in the cache, and this run does not use the network.`,
        subject: options.what,
        hint: 'The next run with the network fetches it: kpatch-pm install',
      });
    },
    close: () => net.close(),
  };
}

/** Reads a small body whole. */
export async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
