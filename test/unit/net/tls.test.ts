// TLS with an authority of our own: the host's store, sslcacert, client certificates, and what is refused.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { KpmError } from '../../../src/errors.ts';
import { Root } from '../../../src/host/root.ts';
import { type Access, type Net, PLAIN_ACCESS, type TlsAccess } from '../../../src/net/access.ts';
import { openNet, readAll } from '../../../src/net/net.ts';
import { CA_STORES } from '../../../src/net/tls.ts';
import { type Cdn, startCdn, startProxy } from '../../support/cdn.ts';
import { type Certificates, makeCertificates } from '../../support/certificates.ts';
import { needs } from '../../support/programs.ts';

needs('openssl')('TLS', () => {
  let made: Certificates;
  let cdn: Cdn;
  let mutual: Cdn;
  let expired: Cdn;
  let hostDir: string;
  let nets: Net[] = [];
  const plain: Access = { ...PLAIN_ACCESS, proxy: { ...PLAIN_ACCESS.proxy, use: 'none' }, timeout: 5 };
  const withTls = (ssl: Partial<TlsAccess>): Access => ({ ...plain, ssl: { ...plain.ssl, ...ssl } });

  beforeAll(async () => {
    made = makeCertificates();
    const { server } = made;
    cdn = await startCdn({ tls: { cert: server.cert, key: server.key } });
    expired = await startCdn({ tls: { cert: made.expired.cert, key: made.expired.key } });
    const asks = { cert: server.cert, key: server.key, ca: made.ca, requestCert: true, rejectUnauthorized: true };
    mutual = await startCdn({ tls: asks });
    for (const one of [cdn, mutual, expired]) one.put('/file', 'hello');
    hostDir = mkdtempSync(path.join(tmpdir(), 'host-'));
  });
  afterAll(async () => {
    for (const one of [cdn, mutual, expired]) await one.close();
    made.remove();
    rmSync(hostDir, { recursive: true });
  });

  /** A client whose host keeps only our authority, at one of the places distributions use. */
  async function get(url: string, access: Access, store: string | null = CA_STORES[1] as string): Promise<string> {
    const dir = mkdtempSync(path.join(hostDir, 'h-'));
    if (store !== null) {
      mkdirSync(path.join(dir, path.dirname(store)), { recursive: true });
      copyFileSync(made.caFile, path.join(dir, store));
    }
    // Files the options name are the host's.
    mkdirSync(path.join(dir, path.dirname(made.caFile)), { recursive: true });
    for (const file of [made.caFile, made.client.certFile, made.client.keyFile])
      copyFileSync(file, path.join(dir, file));
    const net = openNet({ host: new Root(dir), env: {}, version: '1' });
    nets.push(net);
    const opened = await net.open(url, { access, maxBytes: 1000, what: 'the file' });
    return (await readAll(opened.body)).toString();
  }

  async function failure(...args: Parameters<typeof get>): Promise<KpmError> {
    const error = await get(...args).then(
      () => null,
      (reason: unknown) => reason,
    );
    for (const net of nets) await net.close();
    nets = [];
    if (!(error instanceof KpmError)) throw new Error(`expected a KpmError, got ${String(error)}`);
    return error;
  }

  test.each(CA_STORES)('the host trusts by %s', async (store) => {
    expect(await get(`${cdn.url}/file`, plain, store)).toBe('hello');
    expect(await get(`${cdn.url6}/file`, plain, store)).toBe('hello');
  });

  test('a host without any store trusts nobody, and says where it looked', async () => {
    const error = await failure(`${cdn.url}/file`, plain, null);
    expect(error.code).toBe('tls-material');
    expect(error.message).toContain('/etc/ssl/certs/ca-certificates.crt');
  });

  test('sslcacert stands in for the store', async () => {
    expect(await get(`${cdn.url}/file`, withTls({ caCert: made.caFile }), null)).toBe('hello');
    const error = await failure(`${cdn.url}/file`, withTls({ caCert: '/etc/none.pem' }));
    expect(error.code).toBe('tls-material');
    expect(error.message).toContain('sslcacert=/etc/none.pem does not exist');
  });

  test('a server of another authority is not trusted', async () => {
    const error = await failure(`${cdn.url}/file`, withTls({ caCert: made.client.certFile }), null);
    expect(error.code).toBe('tls-untrusted');
  });

  test('a certificate for other addresses is refused, by IPv4 and IPv6', async () => {
    const { client } = made;
    const odd = await startCdn({ tls: { cert: client.cert, key: client.key } });
    for (const url of [odd.url, odd.url6]) expect((await failure(`${url}/file`, plain)).code).toBe('tls-untrusted');
    await odd.close();
  });

  test('an expired certificate is not trusted; sslverify=0 takes it', async () => {
    expect((await failure(`${expired.url}/file`, plain)).code).toBe('tls-untrusted');
    expect(await get(`${expired.url}/file`, withTls({ verify: false }))).toBe('hello');
  });

  test('a client certificate, its key apart or missing', async () => {
    const { certFile, keyFile } = made.client;
    expect(await get(`${mutual.url}/file`, withTls({ clientCert: certFile, clientKey: keyFile }))).toBe('hello');
    expect((await failure(`${mutual.url}/file`, plain)).code).toMatch(/^(tls-failed|net-cut)$/);
    const missing = withTls({ clientCert: certFile, clientKey: '/etc/pki/entitlement/7-key.pem' });
    const error = await failure(`${mutual.url}/file`, missing);
    expect(error.code).toBe('tls-material');
    expect(error.hint).toContain('subscription-manager refresh');
  });

  test('a redirect to plain http is refused', async () => {
    cdn.fault('/down', { kind: 'status', status: 301, headers: { location: 'http://127.0.0.1:1/file' } });
    expect((await failure(`${cdn.url}/down`, plain)).code).toBe('redirect-refused');
  });

  test('a redirect to another host does not take the client certificate along', async () => {
    cdn.fault('/away', { kind: 'status', status: 302, headers: { location: `${mutual.url}/file` } });
    const access = withTls({ clientCert: made.client.certFile, clientKey: made.client.keyFile });
    expect((await failure(`${cdn.url}/away`, access)).code).toMatch(/^(tls-failed|net-cut)$/);
  });

  test('https goes through a proxy by CONNECT', async () => {
    const proxy = await startProxy('u:p');
    const through = { ...plain.proxy, use: 'url', url: proxy.url, username: 'u', password: 'p' } as const;
    expect(await get(`${cdn.url}/file`, { ...plain, proxy: through })).toBe('hello');
    expect(proxy.seen).toEqual([`CONNECT 127.0.0.1:${cdn.port}`]);
    expect((await failure(`${cdn.url}/file`, { ...plain, proxy: { ...through, password: 'x' } })).code).toBe(
      'proxy-failed',
    );
    await proxy.close();
  });

  test('sslverifystatus cannot be honoured and is not passed over', async () => {
    expect((await failure(`${cdn.url}/file`, { ...plain, sslVerifyStatus: true })).code).toBe('option-unsupported');
  });
});
