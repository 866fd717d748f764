// The one way to fetch something: file:, http: and https: behind one function.
import type { LookupFunction } from 'node:net';
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

/** Reads a small body whole. */
export async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
