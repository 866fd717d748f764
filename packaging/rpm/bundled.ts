// What the bundle contains of other people's packages: for the RPM's Provides, and as a bill of materials (CycloneDX 1.5).
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface Bundled {
  /** Its directory, below that of the checkout. */
  readonly place: string;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** Of the package as the lock file has it; null where the lock has none. */
  readonly integrity: string | null;
}

interface Lock {
  readonly packages: Record<string, { version?: string; license?: string; integrity?: string }>;
}

/** Packages whose files are in dist/: the bundler marks each file of theirs with its path in a comment. */
export function bundledPackages(top: string): Bundled[] {
  const lock = JSON.parse(readFileSync(path.join(top, 'package-lock.json'), 'utf8')) as Lock;
  const places = new Set<string>();
  for (const name of readdirSync(path.join(top, 'dist'), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.cjs')) continue;
    const text = readFileSync(path.join(top, 'dist', name), 'utf8');
    for (const match of text.matchAll(/^\/\/ (node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//gm)) {
      places.add(match[1] as string);
    }
  }
  return [...places]
    .map((place) => {
      const entry = lock.packages[place];
      if (!entry?.version) throw new Error(`${place} is in the bundle and not in package-lock.json`);
      const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return { place, name, version: entry.version, licence: entry.license ?? '', integrity: entry.integrity ?? null };
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** The licences of the bundled packages, with their texts as the packages have them: they must go where the bundle goes. */
export function licenceTexts(top: string, packages: readonly Bundled[]): string {
  const rule = '='.repeat(80);
  const parts = packages.map(({ place, name, version, licence }) => {
    const files = readdirSync(path.join(top, place)).filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file));
    const texts = files.sort().map((file) => readFileSync(path.join(top, place, file), 'utf8').trim());
    return [rule, `${name} ${version}: ${licence}`, rule, ...texts, ''].join('\n\n');
  });
  return `The program contains parts of these packages.\n\n${parts.join('\n')}`;
}

/** A CycloneDX 1.5 document; with the node that the self-contained variant carries, and the OpenSSL inside. */
export function sbom(
  version: string,
  packages: readonly Bundled[],
  own: { readonly version: string; readonly openssl: string } | null,
): string {
  const libraries = packages.map(({ name, version: own, licence, integrity }) => ({
    type: 'library',
    name,
    version: own,
    purl: `pkg:npm/${name.replace('@', '%40')}@${own}`,
    licenses: [{ expression: licence }],
    ...(integrity?.startsWith('sha512-')
      ? { hashes: [{ alg: 'SHA-512', content: Buffer.from(integrity.slice(7), 'base64').toString('hex') }] }
      : {}),
  }));
  const carried = own
    ? [
        {
          type: 'application',
          name: 'nodejs',
          version: own.version,
          purl: `pkg:generic/nodejs@${own.version}`,
          cpe: `cpe:2.3:a:nodejs:node.js:${own.version}:*:*:*:*:*:*:*`,
        },
        {
          type: 'library',
          name: 'openssl',
          version: own.openssl,
          purl: `pkg:generic/openssl@${own.openssl}`,
          cpe: `cpe:2.3:a:openssl:openssl:${own.openssl}:*:*:*:*:*:*:*`,
        },
      ]
    : [];
  const document = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { type: 'application', name: 'kpatch-pm', version, purl: `pkg:npm/kpatch-pm@${version}` } },
    components: [...libraries, ...carried],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}
