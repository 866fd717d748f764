// The keys of a file or URL that a person names.
import path from 'node:path';
import { KpmError } from '../../errors.ts';
import { type PublicKey, parseKeys } from '../../formats/openpgp/index.ts';
import type { Machine } from '../../host/machine.ts';
import { openNet, readAll } from '../../net/net.ts';
import { shown } from '../../net/url.ts';
import type { Config } from '../../observe/config/types.ts';
import type { OfferedKey } from '../../pipeline/consent.ts';

const MAX_KEY_FILE = 1024 * 1024;

/** Whether it is a URL; everything else is the name of a file. */
const isUrl = (source: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(source);

/**
 * Reads the keys of a file (relative to `directory`, a path of the host) or URL (proxy and certificates of dnf.conf).
 * Raises `file-unreadable`, `openpgp-malformed` and the codes of the network.
 */
export async function keysFrom(
  machine: Machine,
  config: Config,
  source: string,
  directory: string,
): Promise<OfferedKey[]> {
  const name = isUrl(source) ? shown(source) : path.posix.resolve(directory, source);
  const bytes = isUrl(source) ? await fetched(machine, config, source) : fileBytes(machine, source, name);
  return parsed(bytes, name).map((key) => ({ key, source: name }));
}

async function fetched(machine: Machine, config: Config, url: string): Promise<Buffer> {
  const net = openNet({ host: machine.host, env: machine.env, version: machine.version });
  try {
    const opened = await net.open(url, { access: config.main, maxBytes: MAX_KEY_FILE, what: 'The key file' });
    return await readAll(opened.body);
  } finally {
    await net.close();
  }
}

function fileBytes(machine: Machine, source: string, file: string): Buffer {
  const bytes = machine.host.read(file, MAX_KEY_FILE);
  if (bytes !== null) return bytes;
  throw new KpmError('file-unreadable', {
    text: `${source} does not exist.`,
    subject: source,
    hint: 'Check the name; relative names count from the current directory.',
  });
}

function parsed(bytes: Buffer, name: string): PublicKey[] {
  try {
    return parseKeys(bytes);
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    throw new KpmError(error.code, {
      text: `${name} cannot be used as a key: ${error.reason}`,
      subject: name,
      hint: 'Name the public key as its owner publishes it (usually RPM-GPG-KEY-...).',
      cause: error,
    });
  }
}
