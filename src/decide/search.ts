// Searching live patches: by name, summary and the kernel they are for. Source of the grouping: dnf(8), search.
import { compareEvr } from '../domain/evr.ts';
import { compareNevra } from '../domain/nevra.ts';
import { glob } from '../domain/pattern.ts';
import type { World } from '../domain/world.ts';
import { asListed, installedList, type Listed } from './listing.ts';
import { isLivePatchName } from './schemes/rhel.ts';

export interface Hits {
  /** `Name & Summary`, `Name`, `Summary`: where the terms were found, the most telling first. */
  readonly where: string;
  readonly found: readonly Listed[];
}

/** Every term must be found in the name, the summary or the kernel; each name once, by its newest level. */
export function search(world: World, terms: readonly string[]): Hits[] {
  const tests = terms.map((term) => {
    const lower = term.toLowerCase();
    const fits = glob(`*${lower.replace(/[\\]/g, '\\$&')}*`);
    return (text: string | null) => text !== null && fits(text.toLowerCase());
  });
  const groups: Record<string, Listed[]> = { 'Name & Summary': [], Name: [], Summary: [], Kernel: [] };
  for (const one of newest(world)) {
    const name = tests.map((test) => test(one.nevra.name) || test(`${one.nevra.name}.${one.nevra.arch}`));
    const summary = tests.map((test) => test(one.summary));
    const kernel = tests.map((test) => test(one.kernel));
    if (!tests.every((_, n) => name[n] || summary[n] || kernel[n])) continue;
    const where =
      name.includes(true) && summary.includes(true)
        ? 'Name & Summary'
        : name.includes(true)
          ? 'Name'
          : summary.includes(true)
            ? 'Summary'
            : 'Kernel';
    groups[where]?.push(one);
  }
  return Object.entries(groups)
    .map(([where, found]) => ({ where, found: found.sort((a, b) => compareNevra(a.nevra, b.nevra)) }))
    .filter(({ found }) => found.length > 0);
}

function newest(world: World): Listed[] {
  const offered = world.offered
    .filter((pkg) => isLivePatchName(pkg.name) && pkg.excludedBy === null)
    .map((pkg) => asListed(pkg, 'available'));
  const best = new Map<string, Listed>();
  for (const one of [...offered, ...installedList(world)]) {
    const key = `${one.nevra.name}.${one.nevra.arch}`;
    const other = best.get(key);
    if (other === undefined || compareEvr(one.nevra, other.nevra) > 0) best.set(key, one);
  }
  return [...best.values()];
}
