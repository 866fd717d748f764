// The client against a real server: what goes right, every fault by its code, and what credentials may reach.
import type { LookupFunction } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { KpmError } from '../../../src/errors.ts';
import { Root } from '../../../src/host/root.ts';
import { type Access, type Net, type OpenOptions, PLAIN_ACCESS } from '../../../src/net/access.ts';
import { openNet, readAll } from '../../../src/net/net.ts';
import { type Cdn, deadPort, startCdn, startProxy } from '../../support/cdn.ts';

const access: Access = { ...PLAIN_ACCESS, proxy: { ...PLAIN_ACCESS.proxy, use: 'none' }, timeout: 5 };
const file = Buffer.alloc(300_000, 'abcdefghij');
let cdn: Cdn;
let other: Cdn;
let net: Net;

beforeAll(async () => {
  cdn = await startCdn();
  other = await startCdn();
  net = openNet({ host: new Root('/'), env: {}, version: '1.2.3' });
  for (const server of [cdn, other]) server.put('/file', file);
});
afterAll(async () => {
  await net.close();
  await cdn.close();
  await other.close();
});

async function get(url: string, more: Partial<OpenOptions> = {}): Promise<Buffer> {
  const opened = await net.open(url, { access, maxBytes: 1_000_000, what: 'the file', ...more });
  return readAll(opened.body);
}

async function failure(url: string, more: Partial<OpenOptions> = {}): Promise<KpmError> {
  const error = await get(url, more).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KpmError)) throw new Error(`expected a KpmError, got ${String(error)}`);
  return error;
}

describe('what goes right', () => {
  test('a file arrives whole, by IPv4, IPv6 and name', async () => {
    for (const url of [`${cdn.url}/file`, `${cdn.url6}/file`, `http://localhost:${cdn.port}/file`]) {
      expect((await get(url)).equals(file)).toBe(true);
    }
  });

  test('the program names itself, or what user_agent says', async () => {
    await get(`${cdn.url}/file`);
    expect(cdn.seen.at(-1)?.headers['user-agent']).toBe('kpatch-pm/1.2.3');
    await get(`${cdn.url}/file`, { access: { ...access, userAgent: 'libdnf (x)' } });
    expect(cdn.seen.at(-1)?.headers['user-agent']).toBe('libdnf (x)');
  });

  test('no compression is asked for: what is checked is what was sent', async () => {
    await get(`${cdn.url}/file`);
    expect(cdn.seen.at(-1)?.headers['accept-encoding']).toBeUndefined();
  });

  test('a range', async () => {
    const opened = await net.open(`${cdn.url}/file`, { access, maxBytes: 1_000_000, what: 'x', from: 299_990 });
    expect(opened.status).toBe(206);
    expect((await readAll(opened.body)).toString()).toBe('abcdefghij');
  });

  test('ip_resolve picks the family', async () => {
    const six = await startCdn({ only6: true });
    six.put('/file', file);
    expect((await get(`${six.url6}/file`, { access: { ...access, ipResolve: 6 } })).length).toBe(300_000);
    const four = { ...access, ipResolve: 4 } as const;
    expect((await failure(`http://localhost:${six.port}/file`, { access: four })).code).toBe('net-unreachable');
    await six.close();
  });

  test('a name with a dead IPv4 address and a live IPv6 one', async () => {
    const six = await startCdn({ only6: true });
    six.put('/file', file);
    const addresses = [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ];
    const lookup: LookupFunction = (_name, _options, done) => done(null, addresses);
    const around = openNet({ host: new Root('/'), env: {}, version: '1', lookup });
    const opened = await around.open(`http://mirror.test:${six.port}/file`, { access, maxBytes: 1_000_000, what: 'x' });
    expect((await readAll(opened.body)).equals(file)).toBe(true);
    await around.close();
    await six.close();
  });

  test('throttle holds the rate down', async () => {
    // 300,000 bytes at 1,000,000 a second cannot be there before a quarter of a second; the clock only proves the lower bound.
    const start = performance.now();
    await get(`${cdn.url}/file`, { access: { ...access, throttle: 1_000_000 } });
    expect(performance.now() - start).toBeGreaterThan(200);
  });
});

describe('faults and their codes', () => {
  test('nobody listens', async () => {
    const error = await failure(`http://127.0.0.1:${await deadPort()}/file`);
    expect(error.code).toBe('net-unreachable');
    expect(error.message).toMatch(/ cannot be reached: nobody listens there \(.*ECONNREFUSED.*\)\.$/);
  });

  test('a port that speaks no TLS: the reason alone, and what may be meant', async () => {
    const error = await failure(`${cdn.url.replace('http:', 'https:')}/file`);
    expect(error.code).toBe('tls-failed');
    expect(error.message).toMatch(/no secure connection could be made \([a-z ]+\)\.$/);
    expect(error.hint).toContain('whether http:// or a proxy is meant');
  });

  test('a package that the server has no more', async () => {
    expect((await failure(`${cdn.url}/gone.rpm`)).hint).toContain('try again with --refresh');
  });

  test('an unknown host', async () => {
    expect((await failure('http://no-such-host.invalid/file')).code).toBe('net-unreachable');
  });

  test.each([
    [404, 'http-status', '$releasever'],
    [500, 'http-status', 'try again later'],
    [403, 'http-forbidden', 'sslclientcert'],
    [401, 'http-forbidden', 'username'],
  ])('status %i', async (status, code, hint) => {
    cdn.fault('/fault', { kind: 'status', status });
    const error = await failure(`${cdn.url}/fault`);
    expect(error.code).toBe(code);
    expect(error.message).toContain(String(status));
    expect(error.hint).toContain(hint);
    expect(error.subject).toBe(`${cdn.url}/fault`);
  });

  test('403 with a client certificate names its file', async () => {
    cdn.fault('/fault', { kind: 'status', status: 403 });
    const ssl = { ...access.ssl, clientCert: '/etc/pki/entitlement/1.pem' };
    const error = await failure(`${cdn.url}/fault`, { access: { ...access, ssl } });
    expect(error.hint).toContain('/etc/pki/entitlement/1.pem');
  });

  test('cut in the middle', async () => {
    cdn.fault('/file', { kind: 'cut', at: 1000 }, { kind: 'ok' });
    expect((await failure(`${cdn.url}/file`)).code).toBe('net-cut');
  });

  test('the connection closes without an answer', async () => {
    cdn.fault('/file', { kind: 'dead' }, { kind: 'ok' });
    expect((await failure(`${cdn.url}/file`)).code).toBe('net-cut');
  });

  test('no answer at all', async () => {
    cdn.fault('/file', { kind: 'hang' }, { kind: 'ok' });
    expect((await failure(`${cdn.url}/file`, { access: { ...access, timeout: 1 } })).code).toBe('net-timeout');
  });

  test('a body that stops', async () => {
    cdn.fault('/file', { kind: 'slow', bytes: 10, every: 60_000 }, { kind: 'ok' });
    expect((await failure(`${cdn.url}/file`, { access: { ...access, timeout: 1 } })).code).toBe('net-timeout');
  });

  test('slower than minrate, though never silent', async () => {
    cdn.fault('/file', { kind: 'slow', bytes: 1, every: 20 }, { kind: 'ok' });
    const error = await failure(`${cdn.url}/file`, { access: { ...access, timeout: 1, minrate: 1000 } });
    expect(error.code).toBe('net-timeout');
    expect(error.message).toContain('1000 bytes a second');
  });

  test('longer than allowed, announced or not', async () => {
    expect((await failure(`${cdn.url}/file`, { maxBytes: 1000 })).code).toBe('too-large');
    cdn.fault('/file', { kind: 'unannounced' }, { kind: 'ok' });
    expect((await failure(`${cdn.url}/file`, { maxBytes: 1000 })).code).toBe('too-large');
  });
});

describe('redirects', () => {
  const to = (location: string) => ({ kind: 'status', status: 302, headers: { location } }) as const;

  test('are followed, relative ones too', async () => {
    cdn.fault('/moved', to('/file'));
    expect((await get(`${cdn.url}/moved`)).equals(file)).toBe(true);
  });

  test('in a circle end', async () => {
    cdn.fault('/round', to('/round'));
    expect((await failure(`${cdn.url}/round`)).code).toBe('redirect-refused');
    expect(cdn.count('/round')).toBeLessThan(10);
  });

  test.each(['file:///etc/passwd', 'ftp://h/x', 'http://', ''])('to %j are refused', async (location) => {
    cdn.fault('/odd', to(location));
    expect((await failure(`${cdn.url}/odd`)).code).toBe('redirect-refused');
  });

  test('to another host take no credentials and no identity along', async () => {
    cdn.fault('/away', to(`${other.url}/file`));
    cdn.fault('/here', to('/file'));
    const login = { ...access, username: 'user', password: 'secret' };
    const headers = { 'x-identity': 'machine' };
    await get(`${cdn.url}/here`, { access: login, headers });
    expect(cdn.seen.at(-1)?.headers).toMatchObject({ authorization: expect.any(String), 'x-identity': 'machine' });
    await get(`${cdn.url}/away`, { access: login, headers });
    expect(other.seen.at(-1)?.headers.authorization).toBeUndefined();
    expect(other.seen.at(-1)?.headers['x-identity']).toBeUndefined();
  });
});

describe('credentials', () => {
  test('user and password of the options, or of the URL', async () => {
    const wants = await startCdn({ authorization: `Basic ${Buffer.from('us er:s:é').toString('base64')}` });
    wants.put('/file', file);
    const login = { ...access, username: 'us er', password: 's:é' };
    expect((await get(`${wants.url}/file`, { access: login })).length).toBe(file.length);
    const inside = wants.url.replace('http://', 'http://us%20er:s%3A%C3%A9@');
    expect((await get(`${inside}/file`)).length).toBe(file.length);
    const error = await failure(`${inside.replace('s%3A', 'wrong')}/file`);
    expect(error.code).toBe('http-forbidden');
    expect(JSON.stringify([error.message, error.subject, error.hint])).not.toContain('wrong');
    await wants.close();
  });
});

describe('proxies', () => {
  test('plain http is asked of the proxy, with its login', async () => {
    const proxy = await startProxy('user:secret');
    const through = { ...access.proxy, use: 'url', url: proxy.url, username: 'user', password: 'secret' } as const;
    expect((await get(`${cdn.url}/file`, { access: { ...access, proxy: through } })).equals(file)).toBe(true);
    expect(proxy.seen).toEqual([`GET ${cdn.url}/file`]);
    const wrong = { ...through, password: 'wrong' };
    const error = await failure(`${cdn.url}/file`, { access: { ...access, proxy: wrong } });
    expect(error.code).toBe('proxy-failed');
    expect(JSON.stringify([error.message, error.subject, error.hint])).not.toContain('wrong');
    await proxy.close();
  });

  test('the environment is asked where the options say nothing', async () => {
    const proxy = await startProxy();
    const around = openNet({ host: new Root('/'), env: { http_proxy: proxy.url }, version: '1' });
    const opened = await around.open(`${cdn.url}/file`, { access: PLAIN_ACCESS, maxBytes: 1_000_000, what: 'x' });
    await readAll(opened.body);
    expect(proxy.seen).toEqual([`GET ${cdn.url}/file`]);
    await around.close();
    await proxy.close();
  });
});
