// Certificates for tests, made by openssl: an authority of our own, a server's for 127.0.0.1 and ::1, a client's.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Pair {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface Certificates {
  readonly caFile: string;
  readonly ca: Buffer;
  readonly server: Pair;
  /** Past its end. */
  readonly expired: Pair;
  readonly client: Pair;
  remove(): void;
}

/** Makes everything in a temporary directory. Needs `openssl`. */
export function makeCertificates(): Certificates {
  const dir = mkdtempSync(path.join(tmpdir(), 'certificates-'));
  const at = (name: string): string => path.join(dir, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  };
  const key = (name: string): string => {
    openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', at(`${name}.key`));
    return at(`${name}.key`);
  };
  openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    key('ca'),
    '-subj',
    '/CN=Test authority',
    '-days',
    '3650',
    '-out',
    at('ca.pem'),
  );
  const pair = (name: string, extensions: string, days: string): Pair => {
    const keyFile = key(name);
    writeFileSync(at(`${name}.ext`), extensions);
    openssl('req', '-new', '-key', keyFile, '-subj', `/CN=${name}`, '-out', at(`${name}.csr`));
    const sign = [
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      '-CA',
      at('ca.pem'),
      '-CAkey',
      at('ca.key'),
      '-CAcreateserial',
    ];
    openssl(...sign, '-extfile', at(`${name}.ext`), '-days', days, '-out', at(`${name}.pem`));
    const certFile = at(`${name}.pem`);
    return { certFile, keyFile, cert: readFileSync(certFile), key: readFileSync(keyFile) };
  };
  const names = 'subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost\n';
  return {
    caFile: at('ca.pem'),
    ca: readFileSync(at('ca.pem')),
    server: pair('server', names, '3650'),
    // openssl makes a certificate of minus one day: over since yesterday.
    expired: pair('expired', names, '-1'),
    // For another address, so that it is no server's here.
    client: pair('client', 'extendedKeyUsage=clientAuth,serverAuth\nsubjectAltName=IP:127.0.0.2,IP:::2\n', '3650'),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
