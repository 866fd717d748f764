// What was published, and how machines come to take it.
import { formatNevra } from '../../domain/nevra.ts';
import type { Published } from '../../usecases/publish/publish.ts';
import { cleanDeep } from './clean.ts';
import { type ErrorJson, JSON_FORMAT } from './json.ts';

export function renderPublished(published: Published): string {
  const { nevra, kernel, module, file, repository, keyFile, signer, moduleSigner, advisory, cves, replaces } =
    cleanDeep(published);
  const lines = [
    `Published   : ${formatNevra(nevra)}`,
    `File        : ${file}`,
    `Kernel      : ${kernel}`,
    `Module      : ${module ?? 'none: it only subscribes the kernel to the fixes to come'}`,
    ...(module ? [`Module key  : ${moduleSigner ?? 'not signed: under Secure Boot it is refused'}`] : []),
    `Signed by   : ${signer.fingerprint} (${signer.owner})`,
    `Advisory    : ${advisory}`,
    `Fixes       : ${cves.join(', ') || '-'}`,
    `Level before: ${replaces ? formatNevra(replaces) : 'none'}`,
    'Machines take it from a repository file like this:',
    '  [own-live-patches]',
    '  name=Live patches of our own',
    `  baseurl=file://${repository}`,
    `  gpgkey=file://${keyFile}`,
    '  gpgcheck=1',
    '  repo_gpgcheck=1',
  ];
  return `${lines.join('\n')}\n`;
}

/** docs/schemas/publish.json. */
export function publishedJson(published: Partial<Published> & { readonly error: ErrorJson | null }): unknown {
  const { nevra, replaces } = published;
  return {
    format: JSON_FORMAT,
    nevra: nevra ? formatNevra(nevra) : null,
    kernel: published.kernel ?? null,
    module: published.module ?? null,
    file: published.file ?? null,
    repository: published.repository ?? null,
    key_file: published.keyFile ?? null,
    signer: published.signer ?? null,
    module_signer: published.moduleSigner ?? null,
    advisory: published.advisory ?? null,
    cves: published.cves ?? [],
    replaces: replaces ? formatNevra(replaces) : null,
    error: published.error,
  };
}
