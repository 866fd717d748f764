// Who made a bundle: the detached signature of its manifest, judged with keys that may speak for bundles. They are kept like
// those of a repository's metadata (docs/security.md, section 3): apart from the keys that sign packages.
import { type ErrorCode, KpmError } from '../../errors.ts';
import { type HostPolicy, type PublicKey, parseSignatures, verifySignature } from '../../formats/openpgp/index.ts';
import type { Bundle } from './open.ts';

/** Id of the repository that a bundle is while it is installed. */
export const BUNDLE_REPO = 'bundle';
/** The name under which keys of bundles are kept (`keys --metadata @bundle`): no repository can have it as its id. */
export const BUNDLE_KEYS = '@bundle';

/** What was found out about the signature of a bundle. */
export interface BundleSigner {
  /** `unknown`: it is signed, by none of the keys. */
  readonly verdict: 'good' | 'unsigned' | 'unknown';
  /** Of the key, where it is known; else what the signature says of itself. */
  readonly fingerprint: string | null;
  readonly owner: string | null;
}

function refused(code: ErrorCode, bundle: Bundle, why: string, hint: string): KpmError {
  return new KpmError(code, { text: `The bundle ${bundle.file}: ${why}.`, subject: bundle.file, hint });
}

/** The verdict on a bundle's signature. Raises `bundle-signature-bad`: a key that is known did not sign these bytes, or may not. */
export function bundleSigner(
  bundle: Bundle,
  keys: readonly PublicKey[],
  now: Date,
  policy: HostPolicy | null,
): BundleSigner {
  if (bundle.signature === null) return { verdict: 'unsigned', fingerprint: null, owner: null };
  const bad = (why: string): KpmError =>
    refused(
      'bundle-signature-bad',
      bundle,
      why,
      'Have the bundle made and carried again; what was sent as one is damaged or hostile.',
    );
  const signatures = read(bundle.signature);
  const [first] = signatures;
  if (first === undefined) throw bad('its signature is none');
  const judged = signatures.map((one) => verifySignature(one, [bundle.manifestBytes], keys, now, policy));
  const wrong = judged.find(({ verdict }) => verdict !== 'good' && verdict !== 'no-key');
  if (wrong) throw bad(`its signature does not count (${wrong.verdict}): ${wrong.reason}`);
  const good = judged.find(({ verdict }) => verdict === 'good')?.key;
  if (good) return { verdict: 'good', fingerprint: good.fingerprint, owner: good.owner };
  return { verdict: 'unknown', fingerprint: first.fingerprint ?? first.keyid, owner: null };
}

function read(blob: Buffer): ReturnType<typeof parseSignatures> {
  try {
    return parseSignatures(blob);
  } catch (error) {
    if (error instanceof KpmError) return [];
    throw error;
  }
}

/** Refuses a bundle that is not signed by one of the keys. Raises `bundle-unsigned`, `bundle-key-untrusted`. */
export function requireSigner(bundle: Bundle, signer: BundleSigner): void {
  if (signer.verdict === 'unsigned') {
    throw refused(
      'bundle-unsigned',
      bundle,
      'it is not signed, and a signature is asked for',
      'Have it made with: bundle create --sign KEY',
    );
  }
  if (signer.verdict === 'unknown') {
    throw refused(
      'bundle-key-untrusted',
      bundle,
      `it is signed by ${signer.fingerprint ?? 'an unnamed key'}, which is none of the keys that may`,
      'Compare the fingerprint with what its maker tells you; then name that key: --key FILE',
    );
  }
}
