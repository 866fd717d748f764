// The built program as a process: its environment, its streams, its end.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { needs } from '../support/programs.ts';
import { top } from '../support/top.ts';

let scratch = '';
let program = '';
beforeAll(() => {
  scratch = mkdtempSync(path.join(os.tmpdir(), 'kpm-process-'));
  const dist = path.join(scratch, 'dist');
  const built = spawnSync(process.execPath, [path.join(top, 'packaging', 'build.mjs'), dist], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(built.stderr);
  program = path.join(dist, 'kpatch-pm.cjs');
});
afterAll(() => rmSync(scratch, { recursive: true }));

// The node of this test run is the one that `env node` finds.
const PATH = `${path.dirname(process.execPath)}:/usr/bin:/bin`;
const run = (command: string, args: string[], env: Record<string, string> = {}) =>
  spawnSync(command, args, { env: { PATH, ...env }, encoding: 'utf8' });

/** What a process said, and how it ended. */
const ended = (child: ChildProcess) =>
  new Promise<{ status: number | null; out: string; err: string }>((resolve, reject) => {
    child.on('error', reject);
    let out = '';
    let err = '';
    child.stdout?.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      err += chunk;
    });
    child.on('close', (status) => resolve({ status, out, err }));
  });

describe('the environment of the caller', () => {
  const evil = () => {
    const trace = path.join(scratch, `trace-${Math.random()}`);
    const code = path.join(scratch, 'evil.cjs');
    writeFileSync(code, `require('node:fs').appendFileSync(process.env.TRACE, process.pid + '\\n');`);
    return { trace, env: { NODE_OPTIONS: `--require ${code}`, TRACE: trace } };
  };

  test('started by its name, no code of NODE_OPTIONS is run', () => {
    const { trace, env } = evil();
    const told = run(program, ['--version'], env);
    expect([told.status, told.stdout]).toEqual([0, expect.stringMatching(/^kpatch-pm \d/)]);
    expect(existsSync(trace)).toBe(false);
  });

  test('started as an argument of node, what node has read already is not passed on', () => {
    const { trace, env } = evil();
    const told = run(process.execPath, [program, '--version'], env);
    expect([told.status, told.stdout]).toEqual([0, expect.stringMatching(/^kpatch-pm \d/)]);
    // Once: the process that was started so; not the one that does the work.
    expect(readFileSync(trace, 'utf8').trim().split('\n')).toHaveLength(1);
  });

  test('the exit status of the fresh start comes through', () => {
    expect(run(process.execPath, [program, 'nonsense'], { NODE_EXTRA_CA_CERTS: '/nonexistent' }).status).toBe(2);
  });

  test('no code cache is read from, or written to, a place the caller names', () => {
    const cache = path.join(scratch, 'cache');
    const env = { NODE_COMPILE_CACHE: cache };
    expect(run(program, ['status', '--installroot', scratch], env).status).toBe(0);
    const entries = existsSync(cache) ? readdirSync(cache) : [];
    expect(entries).toEqual([]);
  });
});

needs('openssl')('TLS', () => {
  let certificates: Certificates;
  let server: SecureServer;
  let asked = 0;
  beforeAll(async () => {
    certificates = makeCertificates();
    const { cert, key } = certificates.server;
    server = createSecureServer({ cert, key }, (_, answer) => {
      asked++;
      answer.statusCode = 404;
      answer.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    certificates.remove();
  });

  const makecache = async (env: Record<string, string>, more: string[] = []) => {
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const args = ['makecache', '--installroot', scratch, '--repofrompath', `r,${url}`, '--setopt=r.retries=1', ...more];
    return ended(spawn(program, args, { env: { PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] }));
  };

  test('a server that nobody vouches for is never asked, whatever the environment says', async () => {
    const { caFile } = certificates;
    const switches: Record<string, string>[] = [
      { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
      { NODE_EXTRA_CA_CERTS: caFile },
      { SSL_CERT_FILE: caFile, NODE_OPTIONS: '--use-openssl-ca' },
    ];
    for (const env of switches) {
      const { status, err } = await makecache(env);
      expect(status).toBe(1);
      expect(err).toMatch(/certificate/i);
    }
    expect(asked).toBe(0);
    // The same server, vouched for by the configuration: so it was the certificate.
    expect((await makecache({}, [`--setopt=r.sslcacert=${caFile}`])).err).toContain('404');
    expect(asked).toBeGreaterThan(0);
  });
});

describe('its streams', () => {
  test('a reader that goes away is harmless', () => {
    const script = 'set -o pipefail; "$0" --help | true; echo $?';
    const told = run('/bin/bash', ['--norc', '-c', script, program]);
    expect([told.stdout, told.stderr]).toEqual(['0\n', '']);
  });

  test.each(['--help', '--version', 'kernels --installroot / --json', 'completion bash'])(
    'what could not be written is told, and is a failure: %s',
    (line) => {
      const told = run('/bin/bash', ['--norc', '-c', `"$0" ${line} > /dev/full`, program]);
      expect([told.status, told.stderr]).toEqual([
        1,
        expect.stringMatching(
          /Error: The output could not be written: no space left on device\.\n {2}Free space where it goes, /,
        ),
      ]);
    },
  );

  test('a long answer reaches a slow reader whole', () => {
    const script = '"$0" --help | { sleep 0.3; wc -c; }';
    const whole = run(program, ['--help']).stdout;
    expect(Number(run('/bin/bash', ['--norc', '-c', script, program]).stdout)).toBe(Buffer.byteLength(whole));
  });

  test('standard output closed from the start', () => {
    const told = run('/bin/bash', ['--norc', '-c', '"$0" status --installroot / >&-', program]);
    expect(told.status).toBe(0);
    expect(told.stderr).not.toMatch(/^\s+at /m);
  });
});

describe('a signal', () => {
  let server: Server;
  let hear: () => void = () => {};
  let url = '';
  beforeAll(async () => {
    // A server that takes a request and never answers.
    server = createServer(() => hear());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends the run with a sentence, an object and status 1',
    async (signal) => {
      const asked = new Promise<void>((resolve) => {
        hear = resolve;
      });
      const root = path.join(scratch, signal);
      mkdirSync(root);
      const args = ['install', '-y', '--json', '--installroot', root, '--repofrompath', `slow,${url}`];
      const child = spawn(program, args, { env: { PATH }, stdio: ['ignore', 'pipe', 'pipe'] });
      const end = ended(child);
      // Whichever comes first: a program that ends by itself has not asked.
      await Promise.race([asked, end]);
      child.kill(signal);
      const { status, out, err } = await end;
      expect(status).toBe(1);
      expect(JSON.parse(out)).toMatchObject({ format: 1, actions: [], error: { code: 'aborted' } });
      expect(err).toContain(`Interrupted (${signal}).`);
      expect(err).not.toMatch(/^\s+at /m);
    },
  );
});

test('help and version are there without the parser and everything else that is loaded lazily', () => {
  const bare = path.join(scratch, 'bare');
  cpSync(path.dirname(program), bare, { recursive: true });
  const chunks = path.join(bare, 'chunks');
  // The parser, the XML reader, undici, the pipeline: every other chunk of some size.
  const others = readdirSync(chunks).filter((name) => name !== 'at-once.cjs');
  const heavy = others.filter((name) => statSync(path.join(chunks, name)).size > 50_000);
  expect(heavy.length).toBeGreaterThan(5);
  for (const name of heavy) rmSync(path.join(chunks, name));
  const slim = path.join(bare, 'kpatch-pm.cjs');
  expect(run(process.execPath, [slim, '--version']).status).toBe(0);
  expect(run(process.execPath, [slim, 'auto', '--help']).stdout).toBe(run(program, ['auto', '--help']).stdout);
  expect(run(process.execPath, [slim, 'status']).status).not.toBe(0);
});
