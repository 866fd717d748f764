// A repository's settings for tests: dnf's defaults, and what the test is about.

import { PLAIN_ACCESS } from '../../src/net/access.ts';
import type { Config, RepoConfig } from '../../src/observe/config/types.ts';

/** Dnf's defaults for one repository, with short times: no test waits for half a minute. */
export function repoConfig(more: Partial<RepoConfig> & { readonly baseurl?: readonly string[] }): RepoConfig {
  return {
    ...PLAIN_ACCESS,
    proxy: { ...PLAIN_ACCESS.proxy, use: 'none' },
    timeout: 5,
    retries: 4,
    maxParallelDownloads: 3,
    fastestmirror: false,
    id: 'test',
    name: 'Test repository',
    enabled: true,
    baseurl: [],
    mirrorlist: null,
    metalink: null,
    priority: 99,
    cost: 1000,
    excludepkgs: [],
    includepkgs: [],
    gpgcheck: true,
    repoGpgcheck: false,
    gpgkey: [],
    skipIfUnavailable: false,
    metadataExpire: 172_800,
    keepcache: false,
    cachedir: '/var/cache/dnf',
    cachedirOnHost: false,
    configChanged: null,
    origin: { file: '/etc/yum.repos.d/test.repo', line: 1 },
    problem: null,
    ...more,
  };
}

/** A configuration of these repositories and nothing else. */
export function configOf(...repos: RepoConfig[]): Config {
  return { repos, disabled: [], variables: { basearch: 'x86_64', releasever: '9' } } as unknown as Config;
}
