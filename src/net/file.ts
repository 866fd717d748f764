// file: URLs. They name files of the host, whatever --installroot says (as in dnf).
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hasErrno, KpmError } from '../errors.ts';
import type { Root } from '../host/root.ts';
import type { Opened, OpenOptions } from './access.ts';
import { tooLarge } from './pace.ts';
import { shown } from './url.ts';

/** Bytes read at a time: each time costs some 100 us of waiting. */
const CHUNK = 1024 * 1024;

/** Opens a file of the host. A missing file is `http-status` with 404's meaning, so that failover treats both alike. */
export function openFile(url: URL, options: OpenOptions, host: Root): Opened {
  const text = shown(url);
  const refuse = (why: string, cause?: unknown): KpmError =>
    new KpmError('net-unreachable', {
      text: `${options.what}: ${text} ${why}.`,
      subject: text,
      hint: 'Check the path, and whether the medium is mounted.',
      cause,
    });
  let fd: number | null;
  try {
    fd = host.openRead(fileURLToPath(url));
  } catch (error) {
    if (error instanceof KpmError) throw refuse(`cannot be read (${error.message})`, error);
    throw refuse('is not a usable file URL', error);
  }
  if (fd === null) throw refuse('does not exist');
  const size = fs.fstatSync(fd).size;
  const from = Math.min(options.from ?? 0, size);
  if (size - from > options.maxBytes) {
    fs.closeSync(fd);
    throw tooLarge(options.what, text, options.maxBytes);
  }
  return {
    status: from > 0 ? 206 : 200,
    headers: {},
    body: read(fd, from, options, text),
    size: size - from,
    url: text,
  };
}

async function* read(fd: number, from: number, options: OpenOptions, text: string): AsyncGenerator<Buffer> {
  let at = from;
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const got = await new Promise<number>((resolve, reject) => {
        fs.read(fd, chunk, 0, CHUNK, at, (error, bytes) => (error ? reject(error) : resolve(bytes)));
      });
      if (got === 0) return;
      at += got;
      if (at - from > options.maxBytes) throw tooLarge(options.what, text, options.maxBytes);
      yield chunk.subarray(0, got);
    }
  } catch (error) {
    if (!hasErrno(error, 'EIO', 'EISDIR', 'ENXIO', 'ESTALE')) throw error;
    throw new KpmError('net-cut', {
      text: `${options.what}: reading ${text} failed (${(error as Error).message}).`,
      subject: text,
      hint: 'Check the medium or the network file system it lies on.',
      cause: error,
    });
  } finally {
    fs.closeSync(fd);
  }
}
