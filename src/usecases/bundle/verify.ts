// bundle verify: every digest, every package with its signatures, the signature of the whole. Needs no root and no network.
import { verifyPackage } from '../../apply/verify.ts';
import type { Problem } from '../../domain/because.ts';
import { formatNevra } from '../../domain/nevra.ts';
import { KpmError } from '../../errors.ts';
import { mergeKeys, type PublicKey, parseKeys } from '../../formats/openpgp/index.ts';
import { parseRpm } from '../../formats/rpm/package.ts';
import { readCryptoPolicy } from '../../host/crypto-policy.ts';
import type { Machine } from '../../host/machine.ts';
import { trustedKeys } from '../../state/keys.ts';
import { metadataKeys } from '../../state/metadata-keys.ts';
import type { BundlePackage, Manifest } from './manifest.ts';
import { openBundle } from './open.ts';
import { BUNDLE_KEYS, type BundleSigner, bundleSigner, requireSigner } from './signed.ts';

export interface VerifiedEntry extends BundlePackage {
  /** `trusted`: by a key of this root or of --key; `carried`: by a key that only the bundle itself brings. */
  readonly authentic: 'trusted' | 'carried' | 'refused';
  readonly owner: string | null;
  /** Why it is refused; null when it is not. */
  readonly problem: Problem | null;
}

export interface VerifiedBundle {
  readonly file: string;
  readonly manifest: Manifest;
  readonly signer: BundleSigner;
  readonly packages: readonly VerifiedEntry[];
}

/**
 * Checks a bundle (absolute path on the host). `keys`: those of --key, by which the bundle must then be signed; null: none was
 * named, and those of the root count. Raises what openBundle raises, `bundle-unsigned`, `bundle-key-untrusted`,
 * `bundle-signature-bad`; what is wrong with a package is in the answer.
 */
export async function verifyBundle(
  machine: Machine,
  file: string,
  keys: readonly PublicKey[] | null,
  note: (text: string) => void,
): Promise<VerifiedBundle> {
  const { root, run, host, uid } = machine;
  const now = machine.now();
  const policy = readCryptoPolicy(host, now);
  const bundle = openBundle(host, file);
  try {
    const known = metadataKeys(root, uid, BUNDLE_KEYS).keys ?? [];
    const signer = bundleSigner(bundle, keys ?? known, now, policy);
    // As installing has it: who took signed bundles takes no others.
    if (keys !== null || (known.length > 0 && signer.verdict === 'unsigned')) requireSigner(bundle, signer);
    const own = await trustedKeys(root, run);
    for (const { text } of own.notices) note(text);
    const trusted = mergeKeys([...own.keys.map(({ key }) => key), ...(keys ?? [])]);
    const all = mergeKeys([...trusted, ...carriedKeys(bundle)]);
    const packages = bundle.manifest.packages.map((listed): VerifiedEntry => {
      try {
        const pkg = parseRpm(bundle.read(listed.path) as Buffer);
        if (formatNevra(pkg.nevra) !== listed.nevra || pkg.source) throw renamed(listed, formatNevra(pkg.nevra));
        const verified = verifyPackage(pkg, { keys: all, allowUnsigned: false, now, policy });
        const by = verified.signer?.fingerprint;
        const authentic = trusted.some(({ fingerprint }) => fingerprint === by) ? 'trusted' : 'carried';
        return { ...listed, signer: by ?? null, owner: verified.signer?.owner ?? null, authentic, problem: null };
      } catch (error) {
        if (!(error instanceof KpmError)) throw error;
        return { ...listed, owner: null, authentic: 'refused', problem: { code: error.code, text: error.message } };
      }
    });
    return { file, manifest: bundle.manifest, signer, packages };
  } finally {
    bundle.close();
  }
}

/** The keys a bundle brings for its packages. Raises `openpgp-malformed`. */
function carriedKeys(bundle: ReturnType<typeof openBundle>): PublicKey[] {
  const files = new Set(bundle.manifest.keys.flatMap(({ use, path }) => (use === 'packages' ? [path] : [])));
  return [...files].flatMap((path) => parseKeys(bundle.read(path) as Buffer));
}

function renamed({ path, nevra }: BundlePackage, found: string): KpmError {
  return new KpmError('package-renamed', {
    text: `${path} is ${found}, and the manifest calls it ${nevra}.`,
    subject: path,
  });
}
