// A bundle as a repository: what the pipeline would fetch over the network, it reads from the archive. There is no network.
import { KpmError } from '../../errors.ts';
import type { Net, Opened, OpenOptions } from '../../net/access.ts';
import { shown } from '../../net/url.ts';
import type { Bundle } from './open.ts';

/** The base URL of a bundle's content: the archive, taken as a directory. Nothing in it has a meaning in a configuration. */
export function baseOf(file: string): string {
  return `file://${file.split('/').map(encodeURIComponent).join('/')}/`;
}

/** A client that knows the files of one bundle and nothing else. Raises `net-offline` for anything else. */
export function serveBundle(bundle: Bundle): Net {
  const base = baseOf(bundle.file);
  return {
    async open(url, options) {
      const path = url.startsWith(base) ? decoded(url.slice(base.length)) : null;
      const bytes = path === null ? null : bundle.read(path);
      if (bytes === null) {
        throw new KpmError('net-offline', {
          text: `${options.what} (${shown(url)}) is not in the bundle, and a bundle is installed without the network.`,
          subject: shown(url),
          hint: 'What is in it: kpatch-pm bundle verify FILE',
        });
      }
      return opened(url, bytes, options);
    },
    close: async () => undefined,
  };
}

/** Null for what no name in a bundle can be. */
function decoded(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

function opened(url: string, bytes: Buffer, options: OpenOptions): Opened {
  const from = Math.min(options.from ?? 0, bytes.length);
  const rest = bytes.subarray(from);
  if (rest.length > options.maxBytes) {
    throw new KpmError('too-large', {
      text: `${options.what} is longer than the ${options.maxBytes} bytes allowed.`,
      subject: shown(url),
    });
  }
  async function* body(): AsyncGenerator<Buffer> {
    yield rest;
  }
  return { status: from > 0 ? 206 : 200, headers: {}, body: body(), size: rest.length, url: shown(url) };
}
