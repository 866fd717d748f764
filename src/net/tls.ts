// TLS as the host has it: its own certificate store by default, dnf's ssl options where set.
// Node's built-in list of authorities is never used: an administrator who removes an authority means it.
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import tls from 'node:tls';
import { KpmError } from '../errors.ts';
import type { Root } from '../host/root.ts';
import type { TlsAccess } from './access.ts';

/** Where distributions keep the store as one PEM file (RHEL, Fedora; Debian; SUSE; Alpine and OpenSSL's own place). */
export const CA_STORES = [
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

const MAX_PEM = 16 * 1024 * 1024;

export interface TlsMaterial {
  readonly context: tls.SecureContext;
  readonly verify: boolean;
}

/** Reads certificates and keys once and makes the context. Raises `tls-material` naming the file at fault. */
export function tlsMaterial(host: Root, access: TlsAccess): TlsMaterial {
  const options: tls.SecureContextOptions = {};
  if (access.verify) options.ca = access.caCert === null ? systemStore(host) : pem(host, access.caCert, 'sslcacert');
  if (access.clientCert !== null) {
    options.cert = pem(host, access.clientCert, 'sslclientcert');
    options.key = access.clientKey === null ? options.cert : pem(host, access.clientKey, 'sslclientkey');
  }
  try {
    return { context: tls.createSecureContext(options), verify: access.verify };
  } catch (cause) {
    const files = [access.caCert, access.clientCert, access.clientKey].filter((file) => file !== null).join(', ');
    throw new KpmError('tls-material', {
      text: `The certificates or keys could not be used (${files || 'the certificate store of this host'}): ${(cause as Error).message}.`,
      subject: files || null || undefined,
      hint: 'Check that they are PEM files and that certificate and key belong together.',
      cause,
    });
  }
}

/**
 * Whether a certificate is for this host. IPv6 addresses are compared by OpenSSL: Node 22.23's own check takes them for
 * names and refuses every certificate.
 */
export function checkServer(host: string, certificate: tls.PeerCertificate): Error | undefined {
  const address = isIP(host) === 6;
  if (address && new X509Certificate(certificate.raw).checkIP(host) !== undefined) return undefined;
  return tls.checkServerIdentity(host, certificate);
}

function pem(host: Root, file: string, option: string): Buffer {
  let bytes: Buffer | null;
  try {
    bytes = host.read(file, MAX_PEM);
  } catch (cause) {
    throw material(file, option, cause);
  }
  if (bytes === null) throw material(file, option, null);
  return bytes;
}

function material(file: string, option: string, cause: unknown): KpmError {
  const why = cause === null ? 'does not exist' : 'cannot be read by this user';
  const entitlement = file.includes('/entitlement/');
  return new KpmError('tls-material', {
    text: `${option}=${file} ${why}.`,
    subject: file,
    hint: entitlement
      ? 'Entitlement certificates belong to root; run as root, or renew them with: subscription-manager refresh'
      : `Check ${option} of that repository and who may read the file.`,
    cause,
  });
}

function systemStore(host: Root): Buffer {
  for (const file of CA_STORES) {
    const bytes = host.read(file, MAX_PEM);
    if (bytes !== null && bytes.length > 0) return bytes;
  }
  throw new KpmError('tls-material', {
    text: `No certificate store was found on this host (looked for ${CA_STORES.join(', ')}).`,
    subject: CA_STORES[0],
    hint: 'Install the package ca-certificates, or set sslcacert=FILE.',
  });
}
