// Whether the running kernel's keyrings hold the key that signed a module. The kernel alone judges module signatures;
// this only tells beforehand what it may say. Source: proc_keys(5); crypto/asymmetric_keys of the kernel: a key is
// described as `SUBJECT: IDENTIFIER`, the identifier being the certificate's subject key identifier or its serial number.
import { KpmError } from '../../errors.ts';
import type { ModuleSignature } from '../../formats/elf/signature.ts';
import type { Root } from '../../host/root.ts';

/** `yes`: a key of that identifier is there; `likely`: one of that name; `no`: the whole list has neither; `unknown`: it cannot be told. */
export type KeyringVerdict = 'yes' | 'likely' | 'no' | 'unknown';

export interface KernelKeys {
  /** Descriptions of the certificates. */
  readonly certificates: readonly string[];
  /** Whether the kernel's own keyring was among what could be seen; without it a missing key means nothing. */
  readonly complete: boolean;
}

const LINE = /^[0-9a-f]+\s+\S+\s+\d+\s+\S+\s+[0-9a-f]+\s+-?\d+\s+-?\d+\s+(\S+)\s+(.*)$/;
const OWN_KEYRING = /^\.builtin_trusted_keys:/;

/** Reads the text of /proc/keys. Only root sees all keys. */
export function parseKernelKeys(text: string, uid: number): KernelKeys {
  const keys = text.split('\n').flatMap((line) => {
    const [, type = '', description = ''] = LINE.exec(line) ?? [];
    return type === '' ? [] : [{ type, description }];
  });
  return {
    // The type is cut to nine letters in the list.
    certificates: keys.filter(({ type }) => 'asymmetric'.startsWith(type)).map(({ description }) => description),
    complete: uid === 0 && keys.some(({ type, description }) => type === 'keyring' && OWN_KEYRING.test(description)),
  };
}

/** The keys of the running kernel; null where they cannot be read. */
export function kernelKeys(host: Root, uid: number): KernelKeys | null {
  try {
    const text = host.readText('proc/keys');
    return text === null ? null : parseKernelKeys(text, uid);
  } catch (error) {
    if (error instanceof KpmError) return null;
    throw error;
  }
}

/** Looks for the key of a module signature. `keys` null: not the running kernel, or not to be read. */
export function inKeyring(signature: ModuleSignature, keys: KernelKeys | null): KeyringVerdict {
  if (keys === null) return 'unknown';
  const { keyid, signer } = signature;
  const identifiers = keys.certificates.map((text) => (/: ([0-9a-f]{2,}): /i.exec(text)?.[1] ?? '').toUpperCase());
  if (keyid !== null && identifiers.some((identifier) => identifier !== '' && sameNumber(identifier, keyid))) {
    return 'yes';
  }
  // `ORGANISATION: NAME: IDENTIFIER: ...`, or without the organisation.
  if (signer !== null && keys.certificates.some((text) => text.split(': ').slice(0, -2).includes(signer))) {
    return 'likely';
  }
  return keys.complete && (keyid !== null || signer !== null) ? 'no' : 'unknown';
}

/** DER writes a leading zero byte before a number whose highest bit is set. */
function sameNumber(a: string, b: string): boolean {
  return a.replace(/^(?:00)+/, '') === b.replace(/^(?:00)+/, '');
}
