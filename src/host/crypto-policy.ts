// The cryptographic policy of a host, as its rpm reads it.
import { type HostPolicy, parseHostPolicy } from '../formats/openpgp/host-policy.ts';
import type { Root } from './root.ts';

/** The first that exists counts, alone. Source: the documentation of rpm-sequoia. */
const FILES = [
  'etc/crypto-policies/back-ends/rpm-sequoia.config',
  'etc/crypto-policies/back-ends/sequoia.config',
] as const;

/** The policy of the running system (`host`: its root); null where it has none. */
export function readCryptoPolicy(host: Root, now: Date): HostPolicy | null {
  for (const file of FILES) {
    const text = host.readText(file, 1024 * 1024);
    if (text !== null) return parseHostPolicy(text, host.show(file), now);
  }
  return null;
}
