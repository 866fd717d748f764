// What a bundle holds, on the screen and as JSON.

import type { Created } from '../../usecases/bundle/create.ts';
import type { Manifest } from '../../usecases/bundle/manifest.ts';
import type { BundleSigner } from '../../usecases/bundle/signed.ts';
import type { VerifiedBundle, VerifiedEntry } from '../../usecases/bundle/verify.ts';
import { cleanDeep } from './clean.ts';
import { type ErrorJson, JSON_FORMAT } from './json.ts';
import { humanSize } from './size.ts';

function about({ file, manifest }: { readonly file: string; readonly manifest: Manifest }): string[] {
  const bytes = manifest.files.reduce((sum, { size }) => sum + size, 0);
  return [
    `Bundle      : ${file}`,
    `Metadata of : ${manifest.made.replace('T', ' ').replace('Z', ' UTC')}`,
    `From        : ${manifest.repositories.map(({ id }) => id).join(', ')}`,
    `Levels      : ${manifest.levels === 'all' ? 'every usable one' : 'the newest usable one'}`,
    `Content     : ${count(manifest.packages.length, 'package', 's')}, ${count(manifest.advisories.length, 'advisor', 'ies', 'y')}, ${humanSize(bytes)}`,
  ];
}

const count = (n: number, word: string, many: string, one = ''): string => `${n} ${word}${n === 1 ? one : many}`;

function byKernel(manifest: Manifest, line: (entry: Manifest['packages'][number]) => string): string[] {
  return manifest.kernels.flatMap((kernel) => [
    `For ${kernel}:`,
    ...manifest.packages.filter((one) => one.kernel === kernel).map((one) => `  ${line(one)}`),
  ]);
}

/** What was made. */
export function renderCreated(created: Pick<Created, 'file' | 'manifest' | 'signer'>): string {
  const { file, manifest, signer } = cleanDeep(created);
  const lines = [
    ...about({ file, manifest }),
    `Signed by   : ${signerLine(signer)}`,
    ...byKernel(manifest, ({ nevra }) => nevra),
  ];
  return `${lines.join('\n')}\n`;
}

const AUTHENTIC: Record<VerifiedEntry['authentic'], string> = {
  trusted: 'signed by a trusted key',
  carried: 'signed by a key that only the bundle brings',
  refused: 'REFUSED',
};

function signerLine({ verdict, fingerprint, owner }: BundleSigner): string {
  if (verdict === 'unsigned') return 'nobody';
  if (verdict === 'good') return `${fingerprint} (${owner})`;
  return `${fingerprint ?? 'an unnamed key'}, which is not known here (--key FILE checks it)`;
}

/** What was found. */
export function renderVerified(verified: VerifiedBundle): string {
  const { file, manifest, signer, packages } = cleanDeep(verified);
  const lines = [
    ...about({ file, manifest }),
    `Signed by   : ${signerLine(signer)}`,
    ...byKernel(manifest, ({ path, nevra }) => {
      const found = packages.find((one) => one.path === path);
      if (!found) return nevra;
      const by = found.signer && !found.problem ? `: ${found.signer} (${found.owner})` : '';
      return `${nevra}\n    ${AUTHENTIC[found.authentic]}${by}${found.problem ? `: ${found.problem.text}` : ''}`;
    }),
  ];
  return `${lines.join('\n')}\n`;
}

export interface BundleView {
  readonly file: string | null;
  readonly manifest: Manifest | null;
  readonly signer?: BundleSigner | null;
  readonly packages?: readonly VerifiedEntry[];
  readonly error?: ErrorJson | null;
}

/** docs/schemas/bundle.json. */
export function bundleJson({ file, manifest, signer = null, packages = [], error = null }: BundleView): unknown {
  return {
    format: JSON_FORMAT,
    file,
    manifest,
    signer,
    packages: packages.map(({ path, nevra, kernel, repo, signer: by, owner, authentic, problem }) => ({
      path,
      nevra,
      kernel,
      repo,
      signer: by,
      owner,
      authentic,
      problem,
    })),
    error,
  };
}
