// The node that the self-contained variant carries: chosen, checked, described.
import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';

export interface OwnNode {
  readonly file: string;
  readonly licence: string;
  readonly version: string;
  /** Version of the OpenSSL inside. */
  readonly openssl: string;
  /** As rpm calls it. */
  readonly arch: string;
}

const RPM_ARCH: Readonly<Record<string, string>> = {
  x64: 'x86_64',
  arm64: 'aarch64',
  ppc64: 'ppc64le',
  s390x: 's390x',
};
const LICENCES = [
  '../LICENSE',
  '../share/doc/node/LICENSE',
  '../share/doc/nodejs/LICENSE',
  '../share/licenses/nodejs/LICENSE',
];
const ASK = `const { variables } = process.config;
const { node, openssl } = process.versions;
const shared = Object.keys(variables).filter((name) => name.startsWith('node_shared') && variables[name] === true);
console.log(JSON.stringify({ version: node, openssl, arch: process.arch, shared }));`;

/**
 * Looks at a node that is to be shipped. Raises an error for one that needs libraries of its distribution (a build of
 * nodejs.org needs only the C and C++ libraries of el8), and for one whose licence is not beside it.
 */
export function ownNode(given: string): OwnNode {
  const file = realpathSync(given);
  const told = JSON.parse(execFileSync(file, ['-e', ASK], { encoding: 'utf8', env: {} })) as {
    version: string;
    openssl: string;
    arch: string;
    shared: string[];
  };
  if (told.shared.length > 0) {
    throw new Error(
      `${file} needs libraries of this distribution (${told.shared.join(', ')}): take a build of nodejs.org`,
    );
  }
  const licence = LICENCES.map((place) => path.resolve(path.dirname(file), place)).find((place) => existsSync(place));
  if (!licence) throw new Error(`the licence of ${file} is in none of ${LICENCES.join(', ')}`);
  const arch = RPM_ARCH[told.arch];
  if (!arch) throw new Error(`${file} is for ${told.arch}, for which there are no live patches`);
  return { file, licence, version: told.version, openssl: told.openssl, arch };
}
