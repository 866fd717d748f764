// A content delivery network for tests: real node:http(s) servers on 127.0.0.1 and [::1] (one port), serving files from
// memory or a directory, with byte ranges, conditional requests, and faults that are set per path.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import https, { type ServerOptions } from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';

export type Fault =
  | { readonly kind: 'ok' }
  /** Answers with a status (and headers) instead of the file. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** Closes the connection after so many bytes of body; the length was announced in full. */
  | { readonly kind: 'cut'; readonly at: number }
  /** Sends so many bytes every so many milliseconds. */
  | { readonly kind: 'slow'; readonly bytes: number; readonly every: number }
  /** Accepts the request and never answers. */
  | { readonly kind: 'hang' }
  /** Closes the connection without an answer. */
  | { readonly kind: 'dead' }
  /** Sends other bytes (a stale copy, a login page, a flipped byte) as if they were the file. */
  | { readonly kind: 'content'; readonly body: Buffer | string }
  /** Sends the file and announces no length; with `at`, ends early as if that were all. */
  | { readonly kind: 'unannounced'; readonly at?: number }
  /** Ignores Range and sends the whole file. */
  | { readonly kind: 'no-range' };

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly status: number;
}

export interface Cdn {
  /** `http://127.0.0.1:PORT` (or https). */
  readonly url: string;
  /** The same server by IPv6. */
  readonly url6: string;
  readonly port: number;
  /** Every request so far. */
  readonly seen: Seen[];
  /** Requests for a path. */
  count(path: string): number;
  /** Puts a file at a path. */
  put(path: string, content: Buffer | string): void;
  /** Serves a directory below a path. */
  mount(path: string, directory: string): void;
  /** What happens to the next requests for a path, one after the other; the last one stays. */
  fault(path: string, ...faults: Fault[]): void;
  close(): Promise<void>;
}

export interface CdnOptions {
  readonly tls?: ServerOptions;
  /** Answer anything but 'ok' paths only with this Authorization. */
  readonly authorization?: string;
  /** Listen on [::1] only: on 127.0.0.1 the port refuses. */
  readonly only6?: boolean;
}

/** Starts the servers on a free port. */
export async function startCdn(options: CdnOptions = {}): Promise<Cdn> {
  const files = new Map<string, Buffer>();
  const mounts: [string, string][] = [];
  const faults = new Map<string, Fault[]>();
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const find = (name: string): Buffer | null => {
    const file = files.get(name);
    if (file) return file;
    for (const [at, directory] of mounts) {
      const candidate = path.join(directory, decodeURIComponent(name.slice(at.length)));
      if (name.startsWith(at) && existsSync(candidate) && statSync(candidate).isFile()) return readFileSync(candidate);
    }
    return null;
  };
  const listener: RequestListener = (request, response) => {
    const name = new URL(request.url ?? '/', 'http://x').pathname;
    response.on('close', () => {
      seen.push({ method: request.method ?? '', path: name, headers: request.headers, status: response.statusCode });
    });
    const queue = faults.get(name);
    const fault: Fault = (queue && (queue.length > 1 ? queue.shift() : queue[0])) || { kind: 'ok' };
    if (options.authorization !== undefined && request.headers.authorization !== options.authorization) {
      response.writeHead(401).end('no');
      return;
    }
    answer(request, response, fault, find(name));
  };
  const make = (): http.Server => {
    const server = options.tls ? https.createServer(options.tls, listener) : http.createServer(listener);
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    return server;
  };
  const first = make();
  const hosts: [http.Server, string][] = options.only6 ? [[first, '::1']] : [[first, '127.0.0.1']];
  await listen(first, 0, hosts[0]?.[1] as string);
  const { port } = first.address() as AddressInfo;
  if (!options.only6) {
    const second = make();
    await listen(second, port, '::1').then(
      () => hosts.push([second, '::1']),
      () => undefined,
    );
  }
  const scheme = options.tls ? 'https' : 'http';
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    url6: `${scheme}://[::1]:${port}`,
    port,
    seen,
    count: (name) => seen.filter((one) => one.path === name).length,
    put: (name, content) => files.set(name, Buffer.from(content as Buffer)),
    mount: (name, directory) => mounts.push([name, directory]),
    fault: (name, ...list) => faults.set(name, list),
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(hosts.map(([server]) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

function listen(server: net.Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}

/** A port on which nobody listens. */
export async function deadPort(): Promise<number> {
  const server = net.createServer();
  await listen(server, 0, '127.0.0.1');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answer(request: IncomingMessage, response: ServerResponse, fault: Fault, file: Buffer | null): void {
  switch (fault.kind) {
    case 'hang':
      return;
    case 'dead':
      request.socket.destroy();
      return;
    case 'status':
      response.writeHead(fault.status, fault.headers).end(fault.body ?? '');
      return;
    case 'content':
      send(request, response, Buffer.from(fault.body as Buffer), { kind: 'ok' });
      return;
    default:
      if (file === null) response.writeHead(404).end('not found');
      else send(request, response, file, fault);
  }
}

function send(request: IncomingMessage, response: ServerResponse, file: Buffer, fault: Fault): void {
  const etag = `"${createHash('sha256').update(file).digest('hex').slice(0, 16)}"`;
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { etag }).end();
    return;
  }
  const range = fault.kind === 'no-range' ? null : /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const from = range ? Number(range[1]) : 0;
  if (from > 0 && from >= file.length) {
    response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
    return;
  }
  const body = file.subarray(from);
  const headers: Record<string, string> = { etag };
  if (range) headers['content-range'] = `bytes ${from}-${file.length - 1}/${file.length}`;
  if (fault.kind !== 'unannounced') headers['content-length'] = String(body.length);
  response.writeHead(range ? 206 : 200, headers);
  if (fault.kind === 'cut') response.write(body.subarray(0, fault.at), () => response.socket?.destroy());
  else if (fault.kind === 'slow') trickle(response, body, fault.bytes, fault.every);
  else response.end(fault.kind === 'unannounced' ? body.subarray(0, fault.at ?? body.length) : body);
}

function trickle(response: ServerResponse, body: Buffer, bytes: number, every: number): void {
  let at = 0;
  const timer = setInterval(() => {
    if (at >= body.length) {
      clearInterval(timer);
      response.end();
      return;
    }
    response.write(body.subarray(at, at + bytes));
    at += bytes;
  }, every);
  response.on('close', () => clearInterval(timer));
}

export interface ProxyServer {
  readonly url: string;
  readonly port: number;
  /** Each request line as the proxy saw it: `GET http://host/path`, `CONNECT host:port`. */
  readonly seen: string[];
  close(): Promise<void>;
}

/** A forward proxy: absolute URLs and CONNECT; with `login` (`user:password`) it wants basic authentication. */
export async function startProxy(login: string | null = null): Promise<ProxyServer> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const wanted = login === null ? null : `Basic ${Buffer.from(login).toString('base64')}`;
  const admitted = (request: IncomingMessage): boolean =>
    wanted === null || request.headers['proxy-authorization'] === wanted;
  const server = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (!admitted(request)) {
      response.writeHead(407).end();
      return;
    }
    const target = http.request(request.url ?? '', { headers: request.headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(response);
    });
    target.on('error', () => response.writeHead(502).end());
    target.end();
  });
  server.on('connect', (request, socket: Socket) => {
    seen.push(`CONNECT ${request.url}`);
    if (!admitted(request)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const target = net.connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
    for (const one of [target, socket]) one.on('error', () => one.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await listen(server, 0, '127.0.0.1');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    seen,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
