// Why a kernel is left as it is: one sentence per case, never the same words for different causes.
import { type Because, because } from '../domain/because.ts';
import { compareEvr } from '../domain/evr.ts';
import type { InstalledKernel } from '../domain/kernel.ts';
import { formatNevra } from '../domain/nevra.ts';
import type { World } from '../domain/world.ts';
import { isSubscription, type PackagedPatch } from './installed.ts';
import type { Candidates } from './match.ts';
import { quarantinedPackage } from './quarantined.ts';
import { streamName } from './schemes/rhel.ts';
import { noMetadata } from './unseen.ts';

/** The reason for doing nothing for this kernel. Takes what was found for it; the first case that fits is told. */
export function skippedText(
  kernel: InstalledKernel,
  world: World,
  candidates: Candidates,
  installed: PackagedPatch | null,
): Because {
  if (installed) return installedText(candidates, installed, world);
  const problem = noMetadata(world);
  if (problem) return problem;
  const own = candidates.rejected.filter((r) => r.because.code !== 'other-kernel');
  if (own.length > 0) {
    const [first] = own;
    const others = own.length > 1 ? ` (and ${own.length - 1} more)` : '';
    return because('all-rejected', `no usable level: ${first?.nevra} ${first?.because.text}${others}`);
  }
  return noStream(kernel, world);
}

function installedText(candidates: Candidates, installed: PackagedPatch, world: World): Because {
  const name = formatNevra(installed.package);
  const crashed = quarantinedPackage(installed.package, installed.kernel, world);
  if (crashed) return because('quarantined', `${name} is in quarantine: ${crashed.why}`);
  if (!isSubscription(installed) && installed.file === null) {
    return because(
      'file-missing',
      `${name} is installed, but its module file is gone; to have it again: kpatch-pm reinstall ${installed.package.name}`,
    );
  }
  if (installed.changed) {
    return because(
      'file-changed',
      `the module file of ${name} is not the one that was installed; to have that again: kpatch-pm reinstall ${installed.package.name}`,
    );
  }
  const best = candidates.usable[0];
  if (best && compareEvr(installed.package, best) > 0) {
    return because('installed-is-newer', `the installed ${name} is newer than anything on offer`);
  }
  if (isSubscription(installed)) return because('subscribed-no-fix', `subscribed by ${name}, no fixes yet`);
  const blind = noMetadata(world);
  if (blind)
    return because('no-metadata', `${name} is installed; whether there is a newer one is not known: ${blind.text}`);
  return because('up-to-date', `${name} is installed, nothing newer is usable`);
}

function noStream(kernel: InstalledKernel, world: World): Because {
  const dead = world.repositories.filter((repo) => !repo.used).map((repo) => repo.id);
  const blind = dead.length > 0 ? `; could not look into ${dead.join(', ')}` : '';
  if (streamName(kernel.release) === null) {
    const flavour = kernel.release.split('+')[1];
    const text = flavour
      ? `vendors make no live patches for the +${flavour} flavour of a kernel`
      : `no vendor's live patches fit a kernel release of this form`;
    return because('no-scheme', text + blind);
  }
  return because('no-stream', `no repository offers live patches for this kernel${blind}`);
}
