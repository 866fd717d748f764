// One repository's typed configuration, and what main gives to transfers outside repositories.
import type { Problem } from '../../domain/because.ts';
import type { Draft } from './repositories.ts';
import type { Resolver } from './resolve.ts';
import type { IpResolve, ProxyOptions, RepoConfig, TlsOptions, TransferOptions } from './types.ts';

/** What is the same for every repository of a run. */
export interface RunWide {
  readonly nogpgcheck: boolean;
  readonly mainExcludes: readonly string[];
  readonly mainIncludes: readonly string[];
  /** `disable_excludes`: main, all, * or repository ids. */
  readonly disabledExcludes: ReadonlySet<string>;
  readonly cachedir: string;
  readonly cachedirOnHost: boolean;
  /** When dnf.conf was last changed; null with check_config_file_age=0. */
  readonly mainChanged: number | null;
  readonly problem: Problem | null;
}

/** Types everything written for a repository. Raises nothing: what is wrong becomes its `problem`. */
export function repoConfig(draft: Draft, resolver: Resolver, run: RunWide): RepoConfig {
  const baseurl = resolver.list('baseurl').map(fileUrl);
  const mirrors = url(resolver, 'mirrorlist');
  const metalink = url(resolver, 'metalink');
  // A mirrorlist with this word is a metalink, as dnf has it.
  const mirrorlistIsMetalink = metalink === null && mirrors !== null && mirrors.includes('metalink');
  const transfer = transferOptions(resolver);
  const gpgcheck = resolver.bool('gpgcheck') && !run.nogpgcheck;
  const repoGpgcheck = resolver.bool('repo_gpgcheck') && !run.nogpgcheck;
  const everyExclude = run.disabledExcludes.has('all') || run.disabledExcludes.has('*');
  const own = !everyExclude && !run.disabledExcludes.has(draft.id);
  const mains = !everyExclude && !run.disabledExcludes.has('main');
  const globs = (key: 'excludepkgs' | 'includepkgs', main: readonly string[]): string[] => [
    ...new Set([...(mains ? main : []), ...(own ? resolver.list(key) : [])]),
  ];
  const made: Omit<RepoConfig, 'problem'> = {
    ...transfer,
    id: draft.id,
    name: resolver.text('name') ?? draft.id,
    enabled: resolver.bool('enabled'),
    baseurl,
    mirrorlist: mirrorlistIsMetalink ? null : mirrors,
    metalink: mirrorlistIsMetalink ? mirrors : metalink,
    priority: resolver.number('priority'),
    cost: resolver.number('cost'),
    excludepkgs: globs('excludepkgs', run.mainExcludes),
    includepkgs: globs('includepkgs', run.mainIncludes),
    gpgcheck,
    repoGpgcheck,
    gpgkey: resolver.list('gpgkey').map(fileUrl),
    skipIfUnavailable: resolver.bool('skip_if_unavailable'),
    metadataExpire: resolver.number('metadata_expire'),
    keepcache: resolver.bool('keepcache'),
    cachedir: run.cachedir,
    cachedirOnHost: run.cachedirOnHost,
    configChanged: run.mainChanged === null ? null : Math.max(run.mainChanged, draft.changed) || null,
    origin: draft.origin,
  };
  return {
    ...made,
    problem: draft.problem ?? run.problem ?? resolver.problem ?? refusedProxy(resolver) ?? noUrl(made),
  };
}

/** A plain path is a file: URL of the host. */
function fileUrl(text: string): string {
  return text.startsWith('/') ? `file://${text}` : text;
}

function url(resolver: Resolver, key: 'mirrorlist' | 'metalink'): string | null {
  const text = resolver.text(key)?.trim().split('\n', 1)[0];
  return text === undefined || text === '' ? null : fileUrl(text);
}

function noUrl(made: Omit<RepoConfig, 'problem'>): Problem | null {
  if (made.baseurl.length > 0 || made.mirrorlist !== null || made.metalink !== null) return null;
  const { file, line } = made.origin;
  return {
    code: 'config-value',
    text: `it has no baseurl, mirrorlist or metalink (${file} line ${line}).`,
  };
}

/** Kinds of proxies and proxy authentication that are refused by name, where a proxy of dnf's options is used. */
function refusedProxy(resolver: Resolver): Problem | null {
  const proxy = proxyOptions(resolver);
  if (proxy.use !== 'url') return null;
  const scheme = /^([a-z0-9+.-]+):\/\//i.exec(proxy.url ?? '')?.[1]?.toLowerCase() ?? 'http';
  if (scheme !== 'http' && scheme !== 'https') {
    return { code: 'proxy-failed', text: `a ${scheme} proxy is not supported (proxy=); use an http or https one.` };
  }
  const method = resolver.text('proxy_auth_method') ?? 'any';
  if (['any', 'none', 'basic'].includes(method)) return null;
  return { code: 'proxy-failed', text: `proxy_auth_method=${method} is not supported; basic is.` };
}

function tls(resolver: Resolver, prefix: '' | 'proxy_'): TlsOptions {
  return {
    verify: resolver.bool(`${prefix}sslverify`),
    caCert: resolver.text(`${prefix}sslcacert`),
    clientCert: resolver.text(`${prefix}sslclientcert`),
    clientKey: resolver.text(`${prefix}sslclientkey`),
  };
}

function proxyOptions(resolver: Resolver): ProxyOptions {
  const written = resolver.value('proxy');
  const text = typeof written === 'string' ? written.trim() : null;
  const use = text === null ? 'unset' : text === '' || text === '_none_' ? 'none' : 'url';
  const known = (resolver.text('proxy_auth_method') ?? 'any') !== 'none';
  return {
    use,
    url: use === 'url' ? text : null,
    username: known ? resolver.text('proxy_username') : null,
    password: known ? resolver.text('proxy_password') : null,
    tls: tls(resolver, 'proxy_'),
  };
}

const IP: Readonly<Record<string, IpResolve>> = { '4': 4, ipv4: 4, '6': 6, ipv6: 6 };

/** The options of transfers, of a repository or of main. */
export function transferOptions(resolver: Resolver): TransferOptions {
  const throttle = resolver.value('throttle');
  const bandwidth = resolver.number('bandwidth');
  const timeout = resolver.number('timeout');
  return {
    proxy: proxyOptions(resolver),
    ssl: tls(resolver, ''),
    sslVerifyStatus: resolver.bool('sslverifystatus'),
    username: resolver.text('username'),
    password: resolver.text('password'),
    timeout: Number.isFinite(timeout) ? timeout : 0,
    retries: resolver.number('retries'),
    minrate: resolver.number('minrate'),
    throttle:
      typeof throttle === 'object' && throttle !== null && 'part' in throttle
        ? Math.floor(throttle.part * bandwidth)
        : Number(throttle ?? 0),
    ipResolve: IP[resolver.text('ip_resolve') ?? ''] ?? 'any',
    userAgent: resolver.text('user_agent'),
    maxParallelDownloads: resolver.number('max_parallel_downloads'),
    fastestmirror: resolver.bool('fastestmirror'),
  };
}
