// The choice of kernels in the words of dnf4. Source: dnf.conf(5), excludepkgs; dnf-plugins-core, versionlock.
import type { Exclusion } from '../../decide/exclusions.ts';
import { formatEvr } from '../../domain/evr.ts';
import { cleanDeep } from './clean.ts';

const NONE = '# every kernel on offer has live patches, or is installed\n';

/** `exclude`: a line for dnf.conf. `versionlock`: lines for versionlock.list, each an exclusion. `unseen`: what could not be read. */
export function renderExclusions(foreign: readonly Exclusion[], format: string, unseen: string | null): string {
  const list = cleanDeep(foreign);
  const blind = unseen === null ? '' : `# not all is known of which kernels have live patches: ${cleanDeep(unseen)}\n`;
  return blind + (list.length > 0 ? linesOf(list, format) : blind === '' ? NONE : '');
}

function linesOf(list: readonly Exclusion[], format: string): string {
  if (format === 'versionlock') {
    return list.map(({ name, epoch, version, release }) => `!${name}-${epoch}:${version}-${release}.*\n`).join('');
  }
  return `excludepkgs=${list.map((one) => `${one.name}-${formatEvr(one)}.${one.arch}`).join(' ')}\n`;
}
