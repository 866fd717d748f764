// Which node runs us. An older one would fail later with words that help nobody. Part of the first file: it must stay so
// plain that older nodes can read it.

/** The lowest version that works; `engines` of package.json says the same. */
export const LEAST_NODE = '20.19';

/** What to say of a node that is too old; null for one that will do. */
export function tooOldNode(version: string): string | null {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  const [least, leastMinor] = LEAST_NODE.split('.').map(Number) as [number, number];
  if (major > least || (major === least && minor >= leastMinor)) return null;
  return `Error: kpatch-pm needs Node.js ${LEAST_NODE} or later, and this is ${version}.\n  Install a newer one (docs/install.md names the streams), or the package kpatch-pm-selfcontained.\n`;
}
