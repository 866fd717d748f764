// The fixture repositories and the ready-made root for tests and the demonstration: a copy of the root in a temporary
// directory, and a real HTTP server over repo-fixtures/built. Plain Node: nothing of the distribution is needed.
import {
  cpSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { top } from './top.ts';

/** The built fixtures: el9/, el8/, el10/, matrix/, hostile/, keys/, root/ ... */
export const FIXTURES = path.join(top, 'repo-fixtures', 'built');

/** `uname -r` of the kernels of the ready-made root. */
export const KERNELS = {
  /** Levels 1-1, 1-2 and an unusable 1-3 are on offer in el9. */
  K1: '5.14.0-427.13.1.el9_4.x86_64',
  /** Only the empty 0-0 is on offer. */
  K2: '5.14.0-427.16.1.el9_4.x86_64',
  /** No live patch is on offer. */
  K3: '5.14.0-427.18.1.el9_4.x86_64',
  /** Not of this distribution; no live patch is on offer. */
  K4: '6.5.6-300.fc39.x86_64',
} as const;

export interface ScratchRootOptions {
  /** Base address of a server over FIXTURES: written into etc/dnf/vars/fixture_url. */
  readonly url?: string;
  /** Kernels below lib/modules, in place of K1 to K4; the rpm database is then left out unless `rpmdb` says otherwise. */
  readonly kernels?: readonly string[];
  /** Keep the ready-made rpm database (K1 to K4, kpatch 0.9.7); true unless `kernels` is given. */
  readonly rpmdb?: boolean;
  /** Text of etc/yum.repos.d/fixtures.repo in place of the ready-made one; `$fixture_url` may be used. */
  readonly repos?: string;
  /** Text of etc/dnf/plugins/kpatch.conf; null leaves the file out. */
  readonly kpatchConf?: string | null;
  /** More files: path below the root -> content. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

export interface ScratchRoot {
  /** The root itself: for `--installroot`. */
  readonly path: string;
  /** Absolute path of something below the root. */
  at(relative: string): string;
  /** Removes the directory. */
  remove(): void;
}

/** Copies the ready-made root into a new temporary directory and changes it as told. */
export function scratchRoot(options: ScratchRootOptions = {}): ScratchRoot {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-root-'));
  const at = (relative: string) => path.join(directory, relative);
  const put = (relative: string, content: string | Buffer) => {
    mkdirSync(path.dirname(at(relative)), { recursive: true });
    writeFileSync(at(relative), content);
  };
  cpSync(path.join(FIXTURES, 'root'), directory, { recursive: true, preserveTimestamps: true });
  // Git keeps no empty directories. The kpatch package owns this one.
  mkdirSync(at('var/lib/kpatch'), { recursive: true });
  if (options.kernels) {
    rmSync(at('lib/modules'), { recursive: true });
    for (const release of options.kernels) {
      put(`lib/modules/${release}/vmlinuz`, `test fixture, not a kernel: ${release}\n`);
      put(`lib/modules/${release}/modules.builtin`, '');
    }
  }
  if (!(options.rpmdb ?? options.kernels === undefined)) rmSync(at('var/lib/rpm'), { recursive: true });
  if (options.url !== undefined) put('etc/dnf/vars/fixture_url', `${options.url}\n`);
  if (options.repos !== undefined) put('etc/yum.repos.d/fixtures.repo', options.repos);
  if (options.kpatchConf === null) rmSync(at('etc/dnf/plugins/kpatch.conf'));
  else if (options.kpatchConf !== undefined) put('etc/dnf/plugins/kpatch.conf', options.kpatchConf);
  for (const [relative, content] of Object.entries(options.files ?? {})) put(relative, content);
  return { path: directory, at, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** A .repo text for one fixture repository, with the release key as its gpgkey. */
export function repoText(id: string, more = ''): string {
  return `[${path.posix.basename(id)}]
name=Fixtures ${id}
baseurl=$fixture_url/${id}/
enabled=1
gpgcheck=1
gpgkey=$fixture_url/keys/RPM-GPG-KEY-fixtures
${more}`;
}

export interface FixtureServer {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** `METHOD /path` of every request so far, in order. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/**
 * Serves `directory` (the built fixtures unless said) over HTTP on a free port of the loopback. `before` is called with the
 * path of a request and may hold back its answer.
 */
export async function serveFixtures(
  directory: string = FIXTURES,
  before?: (path: string) => void | Promise<void>,
): Promise<FixtureServer> {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    await before?.(request.url ?? '/');
    answer(directory, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve, reject) => {
      server.close((error) => (error ? reject(error) : resolve()));
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}`, requests, close };
}

/** The file a request names; null for one that does not exist, is no file, or lies outside. */
function fileOf(directory: string, url: string): string | null {
  let name: string;
  try {
    name = decodeURIComponent(new URL(url, 'http://127.0.0.1').pathname);
  } catch {
    return null;
  }
  const file = path.join(directory, path.posix.normalize(name));
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : null;
}

/** GET and HEAD of files, one byte range, and conditional requests by time (RFC 9110, sections 13 and 14). */
function answer(directory: string, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  const file = fileOf(directory, request.url ?? '/');
  if (file === null) {
    response.writeHead(404, { 'content-type': 'text/html' }).end('<html><body>404 Not Found</body></html>\n');
    return;
  }
  const { size, mtimeMs } = statSync(file);
  const modified = new Date(Math.floor(mtimeMs / 1000) * 1000);
  const headers: Record<string, string> = {
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
    'last-modified': modified.toUTCString(),
    etag: `"${size.toString(16)}-${modified.getTime().toString(16)}"`,
  };
  const unchanged =
    request.headers['if-none-match'] === headers.etag ||
    (request.headers['if-none-match'] === undefined &&
      Date.parse(request.headers['if-modified-since'] ?? '') >= modified.getTime());
  if (unchanged) {
    response.writeHead(304, headers).end();
    return;
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = range ? Number(range[1]) : 0;
  const end = range?.[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
  if (range && (start >= size || end < start)) {
    response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
    return;
  }
  headers['content-length'] = String(end - start + 1);
  if (range) headers['content-range'] = `bytes ${start}-${end}/${size}`;
  response.writeHead(range ? 206 : 200, headers);
  if (request.method === 'HEAD' || size === 0) response.end();
  else createReadStream(file, { start, end }).pipe(response);
}

/** One hostile or broken repository: `${url}/hostile/${id}/` offers a level 1-4 for K1. */
export interface HostileCase {
  readonly id: string;
  readonly why: string;
  /** Where it has to be noticed; `fit`: the level may be installed all the same. */
  readonly stage: 'metadata' | 'decide' | 'fetch' | 'verify' | 'extract' | 'fit';
  /** Error or reason codes, any of which is right. */
  readonly expected: readonly string[];
}

export function hostileCases(): readonly HostileCase[] {
  return JSON.parse(readFileSync(path.join(FIXTURES, 'hostile', 'index.json'), 'utf8'));
}

/** One package of the matrix; `expected` holds where the keys release and ed25519 are trusted. */
export interface MatrixCell {
  /** File below `matrix/`. */
  readonly file: string;
  readonly payload: 'gzip' | 'xz' | 'zstd' | 'bzip2' | 'lzma' | 'none';
  readonly signature: string;
  /** Name of the signing key in repo-fixtures/keys, null for none. */
  readonly key: string | null;
  /** `ok` or an error code. */
  readonly expected: string;
  readonly why: string;
}

export function matrixCells(): readonly MatrixCell[] {
  return JSON.parse(readFileSync(path.join(FIXTURES, 'matrix', 'index.json'), 'utf8'));
}
