// bundle install: the pipeline of every installation, with the bundle in the place of the repositories and of the network.
import type { Plan } from '../../domain/plan.ts';
import { isTestKey } from '../../domain/testkeys.ts';
import type { World } from '../../domain/world.ts';
import { KpmError } from '../../errors.ts';
import { type PublicKey, parseKeys } from '../../formats/openpgp/index.ts';
import { readCryptoPolicy } from '../../host/crypto-policy.ts';
import type { Machine, Ui } from '../../host/machine.ts';
import { floorOf, holdFloor, raiseFloor, wentBack } from '../../observe/repo/floor.ts';
import { consentTo } from '../../pipeline/consent.ts';
import type { Request } from '../../pipeline/request.ts';
import { carryOut, type Result } from '../../pipeline.ts';
import { openCache } from '../../state/cache.ts';
import { trustedKeys } from '../../state/keys.ts';
import { importMetadataKey, metadataKeys } from '../../state/metadata-keys.ts';
import { type Bundle, openBundle } from './open.ts';
import { baseOf, serveBundle } from './serve.ts';
import { BUNDLE_KEYS, BUNDLE_REPO, bundleSigner, requireSigner } from './signed.ts';

/**
 * Installs from a bundle (absolute path on the host) what fits the kernels of this root. `keys`: those of --key, by which the
 * bundle must be signed; null: none was named. Raises the codes of openBundle and of its signature, `repo-older`, and everything
 * an installation raises.
 */
export async function installBundle(
  machine: Machine,
  request: Request,
  file: string,
  keys: readonly PublicKey[] | null,
  ui: Ui,
  approve: (world: World, plan: Plan) => Promise<boolean>,
): Promise<Result> {
  if (machine.root.isHost && machine.uid !== 0 && !request.dryRun) throw needsRoot(file);
  const bundle = openBundle(machine.host, file);
  try {
    const signer = await judged(machine, request, bundle, keys, ui);
    const floor = heldAgainstReplay(machine, request, bundle, signer, ui);
    const result = await carryOut(machine, asRequest(request, bundle), ui, approve);
    // A dry run, and one that was refused, leave no trace.
    if (!request.dryRun) floor();
    return result;
  } finally {
    bundle.close();
  }
}

/** The request of an ordinary installation from one repository, which the bundle is. Nothing else is asked. */
function asRequest(request: Request, bundle: Bundle): Request {
  const base = baseOf(bundle.file);
  const keyFiles = bundle.manifest.keys.filter(({ use }) => use === 'packages').map(({ path }) => `${base}${path}`);
  const own = (key: string, value: string): string => `${BUNDLE_REPO}.${key}=${value}`;
  return {
    ...request,
    verb: 'install',
    words: [],
    config: {
      ...request.config,
      repofrompath: [`${BUNDLE_REPO},${base}`],
      repo: [BUNDLE_REPO],
      enablerepo: [],
      disablerepo: [],
      setopt: [
        ...request.config.setopt,
        own('name', 'bundle'),
        own('gpgcheck', '1'),
        // The signature of the manifest, which holds the digest of repomd.xml, was judged already.
        own('repo_gpgcheck', '0'),
        own('gpgkey', keyFiles.join(' ')),
        own('skip_if_unavailable', '0'),
      ],
    },
    refresh: true,
    cacheOnly: false,
    offline: true,
    instead: serveBundle(bundle),
  };
}

/**
 * The fingerprint of the key that signed the bundle and may; null: it is not signed, and no signed one was ever accepted here.
 * A key that only the bundle brings is asked about, like the key of a repository's metadata.
 */
async function judged(
  machine: Machine,
  request: Request,
  bundle: Bundle,
  given: readonly PublicKey[] | null,
  ui: Ui,
): Promise<string | null> {
  const { root, uid } = machine;
  // The project's own test keys: their secret halves are public, so on the running system they count for nothing.
  const named = given?.filter(({ fingerprint }) => !root.isHost || !isTestKey(fingerprint)) ?? null;
  const now = machine.now();
  const policy = readCryptoPolicy(machine.host, now);
  const known = metadataKeys(root, uid, BUNDLE_KEYS);
  for (const { text } of known.notices) ui.warn(text);
  const signer = bundleSigner(bundle, named ?? known.keys ?? [], now, policy);
  // Who once took signed bundles must not be handed an unsigned one.
  const required = named !== null || (known.keys ?? []).length > 0;
  if (signer.verdict === 'good') return signer.fingerprint;
  if (request.config.nogpgcheck) return null;
  if (required && signer.verdict === 'unsigned') requireSigner(bundle, signer);
  if (signer.verdict === 'unsigned') {
    ui.note(
      `The bundle ${bundle.file} is not signed: each package in it must be signed by its vendor, but who chose them is not known.`,
    );
    return null;
  }
  const carried = carriedSigner(bundle);
  const offered = named === null && carried ? bundleSigner(bundle, [carried], now, policy) : null;
  if (!carried || offered?.verdict !== 'good') requireSigner(bundle, signer);
  if (request.dryRun) {
    ui.note(
      `The bundle is signed by ${offered?.fingerprint} (${offered?.owner}), which is not accepted for bundles yet; installing asks.`,
    );
    return null;
  }
  const { assumeYes, unattended } = request;
  const source = `the bundle ${bundle.file}`;
  const by = { machine, ui, assumeYes, unattended };
  const trusted = unattended ? (await trustedKeys(root, machine.run)).keys.map(({ key }) => key) : [];
  const key = await consentTo({ key: carried as PublicKey, source }, 'bundles', by, trusted, known.removed);
  if (key === null) requireSigner(bundle, signer);
  importMetadataKey(root, BUNDLE_KEYS, key as PublicKey);
  return (key as PublicKey).fingerprint;
}

/** The key that the bundle itself names as its maker's. */
function carriedSigner(bundle: Bundle): PublicKey | null {
  const named = bundle.manifest.keys.find(({ use }) => use === 'bundle');
  const bytes = named ? bundle.read(named.path) : null;
  return bytes === null
    ? null
    : (parseKeys(bytes).find(({ fingerprint }) => fingerprint === named?.fingerprint) ?? null);
}

/**
 * A bundle older than one that was taken before is refused where both are signed by one key, and told where they are not
 * signed; gives what remembers this one. Raises `repo-older`.
 */
function heldAgainstReplay(
  machine: Machine,
  request: Request,
  bundle: Bundle,
  signer: string | null,
  ui: Ui,
): () => void {
  const cache = openCache(machine);
  const key = `bundle-${signer ?? 'unsigned'}`;
  const made = Math.floor(Date.parse(bundle.manifest.made) / 1000);
  const before = floorOf(cache, key);
  if (signer !== null && !request.allowOlder) holdFloor(before, made, BUNDLE_REPO);
  const back = wentBack(before, made, BUNDLE_REPO);
  if (back) ui.warn(back.text);
  return () => raiseFloor(cache, key, made, machine.now());
}

/** Asked before a key is: who may not install need not decide whom to trust. */
function needsRoot(file: string): KpmError {
  return new KpmError('needs-root', {
    text: 'kpatch-pm bundle install changes this system, which only root may do.',
    hint: `Run: sudo kpatch-pm bundle install ${file}   (or look first, with --dry-run)`,
  });
}

/** A bundle brings everything itself: repositories named beside it are a misunderstanding. Raises `usage`. */
export function refuseRepositories({ config }: Request): void {
  const given = [...config.repo, ...config.enablerepo, ...config.repofrompath];
  if (given.length === 0) return;
  throw new KpmError('usage', {
    text: 'bundle install takes everything from the bundle: --repo, --enablerepo and --repofrompath do not go with it.',
    subject: 'bundle',
    hint: 'See `kpatch-pm bundle --help`.',
  });
}
