// Whether the running kernel will take a module, as far as its signature goes and as far as that can be told beforehand.
// Only the kernel can check a module's signature: what is told here is who signed and whose keys the kernel shows.

/** `yes`: a key of that identifier is there; `likely`: one of that name; `no`: the whole list has neither; `unknown`: it cannot be told. */
export type KeyringVerdict = 'yes' | 'likely' | 'no' | 'unknown';

export interface SignatureRule {
  /** Whether this kernel refuses modules that none of its keys signed; null where it does not say. */
  readonly enforced: boolean | null;
  /** By what that is known, or why it is not. */
  readonly because: string;
}

/** Who signed a module, as its file says. */
export interface ModuleSigner {
  readonly signer: string | null;
  readonly keyid: string | null;
  /** What `keyid` is: the key's own identifier, or the serial number of its certificate. */
  readonly names: 'key' | 'certificate' | null;
}

export interface SignerAnswer {
  /** `refused`: the kernel will certainly not take it. `doubtful`: most likely not. `unknown`: it cannot be told. */
  readonly answer: 'fine' | 'refused' | 'doubtful' | 'unknown';
  /** Completes "MODULE ...", without a full stop; empty where it is fine. */
  readonly why: string;
}

const FINE: SignerAnswer = { answer: 'fine', why: '' };

/**
 * What the running kernel will say. Certain is only the absence of a signature, and a key named by its own identifier that no
 * keyring shows. A certificate named by issuer and serial number may be listed under another name and under the identifier of its
 * key (crypto/asymmetric_keys/x509_public_key.c), so its absence from the list is doubt and no proof.
 */
export function judgeSigner(
  signer: ModuleSigner | null,
  keyring: KeyringVerdict,
  keyrings: readonly string[],
  rule: SignatureRule,
): SignerAnswer {
  if (rule.enforced === false) return FINE;
  if (rule.enforced === null) {
    const by = signer === null ? 'carries no signature' : `is signed by ${nameOf(signer)}`;
    return {
      answer: 'unknown',
      why: `${by}; whether this kernel insists on signatures is not known (${rule.because})`,
    };
  }
  const rules = `this kernel takes signed modules only (${rule.because})`;
  if (signer === null) return { answer: 'refused', why: `carries no signature, and ${rules}` };
  if (keyring === 'yes' || keyring === 'likely') return FINE;
  if (keyring === 'unknown') {
    return {
      answer: 'unknown',
      why: `is signed by ${nameOf(signer)}, and ${rules}; whether it has that key cannot be told from /proc/keys`,
    };
  }
  const where = keyrings.length > 0 ? ` (${keyrings.join(', ')})` : '';
  const why = `is signed by ${nameOf(signer)}, which none of the kernel's keyrings shows${where}, and ${rules}`;
  return { answer: signer.names === 'key' ? 'refused' : 'doubtful', why };
}

/** `"NAME" (certificate 0A1B)`, with what is known. */
function nameOf({ signer, keyid, names }: ModuleSigner): string {
  const id = keyid === null ? null : `${names === 'key' ? 'key' : 'certificate'} ${keyid}`;
  if (signer === null) return id === null ? 'somebody it does not name' : `the ${id}`;
  return id === null ? JSON.stringify(signer) : `${JSON.stringify(signer)} (${id})`;
}
