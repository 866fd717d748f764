// Name, EVR and architecture: the identity of a package.
import { compareEvr, type Evr, formatEvr, type Order } from './evr.ts';

export interface Nevra extends Evr {
  readonly name: string;
  readonly arch: string;
}

/** `name-[epoch:]version-release.arch`, the epoch only when above 0 (contract section 4). */
export function formatNevra(nevra: Nevra): string {
  return `${nevra.name}-${formatEvr(nevra)}.${nevra.arch}`;
}

const NEVRA = /^(?<name>.+)-(?:(?<epoch>\d{1,9}):)?(?<version>[^-:]+)-(?<release>[^-]+)\.(?<arch>[^.-]+)$/;

/** Reads what formatNevra writes; null when the text is not of that form. */
export function parseNevra(text: string): Nevra | null {
  const groups = NEVRA.exec(text)?.groups;
  if (!groups) return null;
  const { name = '', epoch, version = '', release = '', arch = '' } = groups;
  return { name, epoch: Number(epoch ?? 0), version, release, arch };
}

/** True when all five parts are equal as rpm compares them. */
export function sameNevra(a: Nevra, b: Nevra): boolean {
  return a.name === b.name && a.arch === b.arch && compareEvr(a, b) === 0;
}

/** Orders by name, then EVR, then arch: a stable order for lists. */
export function compareNevra(a: Nevra, b: Nevra): Order {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  const order = compareEvr(a, b);
  if (order !== 0) return order;
  return a.arch < b.arch ? -1 : a.arch > b.arch ? 1 : 0;
}
