// Which live patches provide something. Source of the rules: dnf(8), provides; rpm-dependencies(7).
import { meets } from '../domain/dependency.ts';
import { parseEvr } from '../domain/evr.ts';
import { compareNevra } from '../domain/nevra.ts';
import type { Dependency } from '../domain/package.ts';
import { glob } from '../domain/pattern.ts';
import type { World } from '../domain/world.ts';
import { asListed, installedList, type Listed } from './listing.ts';
import { asNamed } from './meaning.ts';
import { isLivePatchName } from './schemes/rhel.ts';
import type { Spec } from './spec.ts';

export interface Provider {
  readonly listed: Listed;
  readonly provides: readonly Dependency[];
  readonly files: readonly string[];
}

/** Every level, installed and on offer, that provides what a spec names: a capability, a pattern of one, or a file. */
export function providers(world: World, specs: readonly Spec[]): Provider[] {
  const offered = world.offered
    .filter((pkg) => isLivePatchName(pkg.name) && pkg.excludedBy === null)
    .map((pkg): Provider => ({ listed: asListed(pkg, 'available'), provides: pkg.provides, files: pkg.files }));
  const installed = installedList(world).map((listed): Provider => {
    const self: Dependency = {
      name: listed.nevra.name,
      flags: 'EQ',
      evr: `${listed.nevra.version}-${listed.nevra.release}`,
    };
    const file = listed.patch?.file ? [`/${listed.patch.file}`] : [];
    const provides = listed.patch ? (asNamed(listed.patch)[0]?.provides ?? []) : [];
    return { listed, provides: [...provides, self], files: file };
  });
  return [...offered, ...installed]
    .map((one) => ({
      ...one,
      provides: one.provides.filter((dependency) => specs.some((spec) => fits(spec, dependency))),
      files: one.files.filter((file) => specs.some(({ text }) => glob(text)(file))),
    }))
    .filter(({ provides, files }) => provides.length + files.length > 0)
    .sort((a, b) => compareNevra(a.listed.nevra, b.listed.nevra));
}

function fits(spec: Spec, dependency: Dependency): boolean {
  if (spec.kind !== 'requirement') return glob(spec.text)(dependency.name);
  const { name, flags, evr } = spec.dependency;
  if (dependency.name !== name) return false;
  if (dependency.evr === null) return true;
  if (name === 'kpatch-patch' && flags === 'EQ') return dependency.evr.replace(/^0:/, '') === evr;
  return meets(parseEvr(dependency.evr), spec.dependency);
}
