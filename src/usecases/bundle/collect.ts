// What goes into a bundle: for each kernel its levels, fetched, verified and looked into as for an installation; the keys that
// signed them; the advisories about them. Nothing of this machine is changed but its cache.
import { createHash } from 'node:crypto';
import { CONTENT_FAULTS } from '../../apply/extract.ts';
import { verifySigned } from '../../apply/verify.ts';
import { type BundleChoice, bundleChoice } from '../../decide/bundle.ts';
import type { Advisory } from '../../domain/advisory.ts';
import { because } from '../../domain/because.ts';
import type { KernelRelease } from '../../domain/kernel.ts';
import { compareNevra, formatNevra } from '../../domain/nevra.ts';
import type { OfferedPackage } from '../../domain/package.ts';
import type { InstallAction } from '../../domain/plan.ts';
import { KpmError } from '../../errors.ts';
import { mergeKeys, type PublicKey, parseKeys } from '../../formats/openpgp/index.ts';
import { type PackageXml, packageXml } from '../../formats/repodata/packages.ts';
import { isBundleName } from '../../formats/tar/entry.ts';
import { readCryptoPolicy } from '../../host/crypto-policy.ts';
import type { Ui } from '../../host/machine.ts';
import { shown } from '../../net/url.ts';
import { fetchKeyFile, fetchOffered } from '../../pipeline/fetch.ts';
import type { Observed } from '../../pipeline/observed.ts';
import { stage } from '../../pipeline/stage.ts';
import type { Trustees } from '../../pipeline/trust.ts';
import { trustedKeys } from '../../state/keys.ts';

/** One package of the bundle; its bytes are fetched again (from the cache) when they are written. */
export interface Collected {
  readonly offer: OfferedPackage;
  readonly kernel: KernelRelease;
  /** Below the bundle. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly signer: string | null;
  readonly xml: PackageXml;
}

export interface Collection {
  /** By kernel and level. */
  readonly packages: readonly Collected[];
  /** Those that signed a package. */
  readonly keys: readonly PublicKey[];
  readonly advisories: readonly Advisory[];
}

/**
 * Collects what a bundle for these kernels holds. Raises `no-match` for a kernel that nothing is on offer for: a bundle that
 * silently lacks one is worse than none. Raises the codes of fetching, verifying and extracting.
 */
export async function collect(
  observed: Observed,
  kernels: readonly KernelRelease[],
  { all, allowUnsigned }: { readonly all: boolean; readonly allowUnsigned: boolean },
  ui: Ui,
): Promise<Collection> {
  const { world, machine } = observed;
  const choices = kernels.map((kernel) => bundleChoice(kernel, world));
  for (const { kernel, why } of choices) {
    if (why === null) continue;
    throw new KpmError('no-match', {
      text: `There is no live patch to bundle for the kernel ${kernel}: ${why}.`,
      subject: kernel,
      hint: 'What is on offer: kpatch-pm list --available   (a kernel is named by its full `uname -r`)',
    });
  }
  const known = await keysAtHand(observed, choices, ui);
  const signers = new Map<string, PublicKey>();
  const trust = {
    keys: known,
    allowUnsigned,
    now: machine.now(),
    policy: readCryptoPolicy(machine.host, machine.now()),
    stream: null,
    pinned: null,
  };
  const trustees: Trustees = { verify: async (rpm) => verifySigned(rpm, trust) };
  const packages: Collected[] = [];
  for (const choice of choices) {
    for (const action of wanted(choice, all)) {
      const staged = await attempt(all, ui, (says) =>
        stage({ observed, trustees, keep: ({ verified }) => ({ verified }), ui: says }, action),
      );
      if (staged === null) continue;
      const { package: offer, verified } = staged;
      const { pkg, sha256, signer } = verified;
      const key = known.find(({ fingerprint }) => fingerprint === signer?.fingerprint);
      if (key) signers.set(key.fingerprint, key);
      const path = pathOf(offer, sha256);
      packages.push({
        offer,
        kernel: choice.kernel,
        path,
        size: pkg.bytes.length,
        sha256,
        signer: signer?.fingerprint ?? null,
        xml: packageXml(pkg, path, sha256),
      });
    }
    if (!packages.some(({ kernel }) => kernel === choice.kernel)) {
      throw new KpmError('no-match', {
        text: `No level on offer for the kernel ${choice.kernel} can be used; each was said above.`,
        subject: choice.kernel,
      });
    }
  }
  packages.sort((a, b) => compareNevra(a.offer, b.offer));
  const keys = [...signers.values()].sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
  return { packages, keys, advisories: advisoriesFor(packages, world.advisories) };
}

/** The newest level with the ones below to step down to, or every level by itself. */
function wanted({ kernel, usable }: BundleChoice, all: boolean): InstallAction[] {
  const take = (offer: OfferedPackage, fallbacks: readonly OfferedPackage[]): InstallAction => ({
    do: 'install',
    kernel,
    package: offer,
    empty: false,
    replaces: null,
    fallbacks,
    rejected: [],
    because: because('newest-level'),
  });
  const [best, ...lower] = usable;
  if (best === undefined) return [];
  return all ? usable.map((offer) => take(offer, [])) : [take(best, lower)];
}

/** With every level wanted, one that is unusable is told and left out; else it is the end. */
async function attempt<T>(all: boolean, ui: Ui, act: (ui: Ui) => Promise<T>): Promise<T | null> {
  if (!all) return act(ui);
  try {
    return await act({ ...ui, warn: () => undefined });
  } catch (error) {
    if (!(error instanceof KpmError) || !CONTENT_FAULTS.includes(error.code)) throw error;
    ui.warn(`${error.message} It is left out.`);
    return null;
  }
}

/** The file of a package in the bundle; a name that is too long or too odd for a plain tar entry gives way to the digest. */
function pathOf(offer: OfferedPackage, sha256: string): string {
  const { name, version, release, arch } = offer;
  const path = `packages/${name}-${version}-${release}.${arch}.rpm`;
  return isBundleName(path) ? path : `packages/${sha256}.rpm`;
}

/** The keys of this root and those that the repositories of the choices name; a key file that cannot be had is told. */
async function keysAtHand(observed: Observed, choices: readonly BundleChoice[], ui: Ui): Promise<PublicKey[]> {
  const { machine, config } = observed;
  const found = await trustedKeys(machine.root, machine.run);
  const keys = found.keys.map(({ key }) => key);
  const repos = new Set(choices.flatMap(({ usable }) => usable.map(({ repo }) => repo)));
  for (const repo of config.repos.filter(({ id }) => repos.has(id))) {
    for (const url of repo.gpgkey) {
      try {
        keys.push(...parseKeys(await fetchKeyFile(observed, repo.id, url)));
      } catch (error) {
        if (!(error instanceof KpmError)) throw error;
        ui.warn(`The key file ${shown(url)} of repository ${repo.id} cannot be used: ${error.reason}`);
      }
    }
  }
  return mergeKeys(keys);
}

/** The advisories about the packages' names, with what they say of those names only; each once, in order of their ids. */
function advisoriesFor(packages: readonly Collected[], all: readonly Advisory[]): Advisory[] {
  const names = new Set(packages.map(({ offer }) => offer.name));
  const found = new Map<string, Advisory>();
  for (const advisory of all) {
    const about = advisory.packages.filter(({ name }) => names.has(name)).sort(compareNevra);
    if (about.length > 0 && !found.has(advisory.id)) found.set(advisory.id, { ...advisory, packages: about });
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The bytes of a collected package once more, held to what was verified. */
export async function bytesOf(observed: Observed, { offer, sha256 }: Collected, ui: Ui): Promise<Buffer> {
  const { bytes } = await fetchOffered(observed, offer, ui);
  if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes;
  throw new KpmError('package-mismatch', {
    text: `${formatNevra(offer)} changed while the bundle was made.`,
    subject: formatNevra(offer),
    hint: 'Run the same command again.',
  });
}
