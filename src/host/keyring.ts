// Whether the running kernel's keyrings hold the key that signed a module. The kernel alone judges module signatures;
// this only tells beforehand what it may say. Source: proc_keys(5); crypto/asymmetric_keys of the kernel: a key is
// described as `SUBJECT: IDENTIFIER`, the identifier being the certificate's subject key identifier or its serial number.
import type { KeyringVerdict, SignatureRule } from '../domain/signing.ts';
import { KpmError } from '../errors.ts';
import type { ModuleSignature } from '../formats/elf/signature.ts';
import type { Root } from './root.ts';

export interface KernelKeys {
  /** Descriptions of the certificates. */
  readonly certificates: readonly string[];
  /** Whether the kernel's own keyring was among what could be seen; without it a missing key means nothing. */
  readonly complete: boolean;
  /** Which of the keyrings that count for modules the list shows. */
  readonly keyrings: readonly string[];
}

const LINE = /^[0-9a-f]+\s+\S+\s+\d+\s+\S+\s+[0-9a-f]+\s+-?\d+\s+-?\d+\s+(\S+)\s+(.*)$/;
const OWN_KEYRING = '.builtin_trusted_keys';
/** The last two where the kernel was built or patched to ask them too. Source: kernel/module/signing.c, certs/system_keyring.c. */
const KEYRINGS = [OWN_KEYRING, '.secondary_trusted_keys', '.machine', '.platform'];

/** Reads the text of /proc/keys. Only root sees all keys. */
export function parseKernelKeys(text: string, uid: number): KernelKeys {
  const keys = text.split('\n').flatMap((line) => {
    const [, type = '', description = ''] = LINE.exec(line) ?? [];
    return type === '' ? [] : [{ type, description }];
  });
  const keyrings = KEYRINGS.filter((name) =>
    keys.some(({ type, description }) => type === 'keyring' && description.startsWith(`${name}:`)),
  );
  return {
    keyrings,
    // The type is cut to nine letters in the list.
    certificates: keys.filter(({ type }) => 'asymmetric'.startsWith(type)).map(({ description }) => description),
    complete: uid === 0 && keyrings.includes(OWN_KEYRING),
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

/**
 * Whether this kernel refuses modules that no key of its keyrings signed. A locked-down kernel does whatever the parameter says.
 * Source: kernel/module/signing.c (is_module_sig_enforced), security/lockdown; Documentation/admin-guide/module-signing.rst.
 */
export function signatureRule(sys: Root): SignatureRule {
  const parameter = readable(sys, 'sys/module/module/parameters/sig_enforce');
  if (parameter.text !== null && /^[Y1]/i.test(parameter.text)) {
    return { enforced: true, because: 'module.sig_enforce is on' };
  }
  const lockdown = readable(sys, 'sys/kernel/security/lockdown');
  const mode = /\[(\w+)\]/.exec(lockdown.text ?? '')?.[1] ?? 'none';
  if (mode !== 'none') return { enforced: true, because: `the kernel is locked down (${mode})` };
  // Where the parameter cannot be seen, the command line may still say it; it cannot be switched off again.
  const words = (readable(sys, 'proc/cmdline').text ?? '').split(/\s+/);
  const said = words.find((word) => /^module\.sig_enforce(=[Yy1]|=on|$)/.test(word));
  if (parameter.text === null && said !== undefined)
    return { enforced: true, because: `${said} is on its command line` };
  if (parameter.denied || lockdown.denied) return { enforced: null, because: 'its settings cannot be read' };
  // A kernel without the parameter was built without module signatures, where sysfs is there to show it.
  if (parameter.text === null && !sys.exists('sys/module')) return { enforced: null, because: 'there is no sysfs' };
  return { enforced: false, because: 'unsigned modules are taken' };
}

function readable(sys: Root, file: string): { text: string | null; denied: boolean } {
  try {
    return { text: sys.readText(file)?.trim() ?? null, denied: false };
  } catch (error) {
    if (error instanceof KpmError) return { text: null, denied: true };
    throw error;
  }
}
