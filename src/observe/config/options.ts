// The options of dnf.conf and .repo files: one table, from which reading, the command line and docs/repositories.md are made.
// Names, types and defaults: dnf.conf(5), dnf5.conf(5); spellings and limits as libdnf takes them.

export type OptionType =
  | 'bool'
  | 'int'
  | 'seconds'
  | 'bytes'
  | 'rate'
  | 'list'
  | 'urls'
  | 'string'
  | 'path'
  | 'ip'
  | 'auth';

export interface OptionRow {
  readonly key: string;
  readonly scope: 'main' | 'repo' | 'both';
  readonly type: OptionType;
  /** As it would be written in a file; null: nothing. */
  readonly default: string | null;
  /** The command-line option that says the same. */
  readonly flag?: string;
  /** Values of several layers add up; an empty first element starts anew. */
  readonly append?: boolean;
  /** The value on the safe side: taken where the written one cannot be read. Marks an option that tightens security. */
  readonly safe?: boolean;
  /** Smallest and largest number. */
  readonly range?: readonly [number, number];
  readonly meaning: string;
}

const BIG = Number.MAX_SAFE_INTEGER;

export const OPTIONS = [
  // ---- which repositories
  {
    key: 'reposdir',
    scope: 'main',
    type: 'list',
    default: '/etc/yum.repos.d /etc/yum/repos.d /etc/distro.repos.d /usr/share/dnf5/repos.d',
    meaning: 'Directories of .repo files.',
  },
  {
    key: 'varsdir',
    scope: 'main',
    type: 'list',
    default: '/etc/yum/vars /etc/dnf/vars',
    meaning: 'Directories of variable files; later ones win.',
  },
  {
    key: 'enabled',
    scope: 'both',
    type: 'bool',
    default: '1',
    flag: '--enablerepo, --disablerepo, --repo',
    meaning: 'Whether the repository is used.',
  },
  {
    key: 'name',
    scope: 'repo',
    type: 'string',
    default: null,
    meaning: 'What people call it; the id where not given.',
  },
  {
    key: 'baseurl',
    scope: 'repo',
    type: 'urls',
    default: null,
    flag: '--repofrompath',
    meaning: 'Where it lies; several are tried in order. A plain path is a directory of the host.',
  },
  { key: 'mirrorlist', scope: 'repo', type: 'string', default: null, meaning: 'URL of a list of mirrors.' },
  { key: 'metalink', scope: 'repo', type: 'string', default: null, meaning: 'URL of a metalink for repomd.xml.' },
  { key: 'priority', scope: 'repo', type: 'int', default: '99', meaning: 'Lower wins; beats version.' },
  {
    key: 'cost',
    scope: 'repo',
    type: 'int',
    default: '1000',
    meaning: 'Lower wins between equal packages of equal priority.',
  },
  {
    key: 'skip_if_unavailable',
    scope: 'both',
    type: 'bool',
    default: '0',
    meaning: 'Go on without the repository when it cannot be reached; it is named all the same.',
  },
  // ---- which packages
  {
    key: 'excludepkgs',
    scope: 'both',
    type: 'list',
    default: null,
    append: true,
    flag: '--exclude',
    meaning: 'Globs of packages that are not offered (also spelled exclude).',
  },
  {
    key: 'includepkgs',
    scope: 'both',
    type: 'list',
    default: null,
    append: true,
    meaning: 'Globs; where given, only these are offered.',
  },
  {
    key: 'disable_excludes',
    scope: 'main',
    type: 'list',
    default: null,
    append: true,
    flag: '--disableexcludes',
    meaning: 'Whose excludes and includes do not count: main, a repository id, all or *.',
  },
  {
    key: 'installonly_limit',
    scope: 'main',
    type: 'int',
    default: '3',
    range: [0, BIG],
    meaning: 'Kernels that are kept; 0: all.',
  },
  {
    key: 'protect_running_kernel',
    scope: 'main',
    type: 'bool',
    default: '1',
    meaning: 'The running kernel is not removed.',
  },
  // ---- trust
  {
    key: 'gpgcheck',
    scope: 'both',
    type: 'bool',
    default: '1',
    safe: true,
    flag: '--nogpgcheck',
    meaning:
      'Packages must be signed (dnf5: pkg_gpgcheck). Absent means on; for modules a signature is needed whatever it says.',
  },
  {
    key: 'localpkg_gpgcheck',
    scope: 'main',
    type: 'bool',
    default: '0',
    safe: true,
    meaning: 'Files named on the command line must be signed.',
  },
  {
    key: 'repo_gpgcheck',
    scope: 'both',
    type: 'bool',
    default: '0',
    safe: true,
    flag: '--nogpgcheck',
    meaning: 'repomd.xml must be signed.',
  },
  {
    key: 'gpgkey',
    scope: 'repo',
    type: 'urls',
    default: null,
    meaning: 'URLs of keys; a plain path is a file of the host.',
  },
  // ---- the way there
  {
    key: 'proxy',
    scope: 'both',
    type: 'string',
    default: null,
    meaning: 'http or https proxy; empty or _none_: none; absent: the usual environment variables.',
  },
  { key: 'proxy_username', scope: 'both', type: 'string', default: null, meaning: 'User at the proxy.' },
  { key: 'proxy_password', scope: 'both', type: 'string', default: null, meaning: 'Password at the proxy.' },
  {
    key: 'proxy_auth_method',
    scope: 'both',
    type: 'auth',
    default: 'any',
    meaning: 'any, none and basic are supported; digest, digest_ie, ntlm, ntlm_wb and negotiate are refused by name.',
  },
  {
    key: 'proxy_sslverify',
    scope: 'both',
    type: 'bool',
    default: '1',
    safe: true,
    meaning: 'The certificate of an https proxy is verified.',
  },
  {
    key: 'proxy_sslcacert',
    scope: 'both',
    type: 'path',
    default: null,
    meaning: 'Authorities for an https proxy (file of the host).',
  },
  {
    key: 'proxy_sslclientcert',
    scope: 'both',
    type: 'path',
    default: null,
    meaning: 'Client certificate for an https proxy (file of the host).',
  },
  { key: 'proxy_sslclientkey', scope: 'both', type: 'path', default: null, meaning: 'Its key (file of the host).' },
  {
    key: 'sslverify',
    scope: 'both',
    type: 'bool',
    default: '1',
    safe: true,
    meaning: 'The certificate of the server is verified.',
  },
  {
    key: 'sslverifystatus',
    scope: 'both',
    type: 'bool',
    default: '0',
    safe: true,
    meaning: 'The server must staple its certificate status; not supported, so https of that repository is refused.',
  },
  {
    key: 'sslcacert',
    scope: 'both',
    type: 'path',
    default: null,
    meaning: 'Authorities that sign the server (file of the host); absent: the store of the host.',
  },
  {
    key: 'sslclientcert',
    scope: 'both',
    type: 'path',
    default: null,
    meaning: 'Client certificate (file of the host).',
  },
  { key: 'sslclientkey', scope: 'both', type: 'path', default: null, meaning: 'Its key (file of the host).' },
  { key: 'username', scope: 'both', type: 'string', default: null, meaning: 'User for HTTP basic authentication.' },
  { key: 'password', scope: 'both', type: 'string', default: null, meaning: 'Password for HTTP basic authentication.' },
  {
    key: 'timeout',
    scope: 'both',
    type: 'seconds',
    default: '30',
    meaning: 'A transfer slower than minrate for so long is given up.',
  },
  {
    key: 'retries',
    scope: 'both',
    type: 'int',
    default: '10',
    range: [0, 1000],
    meaning: 'Attempts in all; 0: without end.',
  },
  { key: 'minrate', scope: 'both', type: 'bytes', default: '1000', meaning: 'Bytes a second; see timeout.' },
  {
    key: 'bandwidth',
    scope: 'both',
    type: 'bytes',
    default: '0',
    meaning: 'What a throttle in per cent is a part of.',
  },
  {
    key: 'throttle',
    scope: 'both',
    type: 'rate',
    default: '0',
    meaning: 'Bytes a second at most, or per cent of bandwidth; 0: no limit.',
  },
  {
    key: 'ip_resolve',
    scope: 'both',
    type: 'ip',
    default: 'whatever',
    flag: '-4, -6',
    meaning: 'Only IPv4 or only IPv6.',
  },
  { key: 'user_agent', scope: 'both', type: 'string', default: null, meaning: 'User-Agent header.' },
  {
    key: 'max_parallel_downloads',
    scope: 'both',
    type: 'int',
    default: '3',
    range: [1, 20],
    meaning: 'Transfers at a time.',
  },
  {
    key: 'fastestmirror',
    scope: 'both',
    type: 'bool',
    default: '0',
    meaning: 'Read and not followed: mirrors are asked in the order of the list.',
  },
  // ---- freshness and cache
  {
    key: 'metadata_expire',
    scope: 'both',
    type: 'seconds',
    default: '172800',
    meaning: 'Age at which metadata is asked for again; never or -1: never.',
  },
  {
    key: 'check_config_file_age',
    scope: 'main',
    type: 'bool',
    default: '1',
    meaning: 'Metadata older than the files that configure the repository is asked for again.',
  },
  {
    key: 'cachedir',
    scope: 'main',
    type: 'path',
    default: null,
    meaning: 'Our cache lies in kpatch-pm below it; absent: /var/cache/kpatch-pm.',
  },
  { key: 'keepcache', scope: 'both', type: 'bool', default: '0', meaning: 'Downloaded packages stay in the cache.' },
  // ---- answers and plug-ins
  { key: 'assumeyes', scope: 'main', type: 'bool', default: '0', flag: '-y', meaning: 'Questions are answered yes.' },
  {
    key: 'assumeno',
    scope: 'main',
    type: 'bool',
    default: '0',
    flag: '--assumeno',
    meaning: 'Questions are answered no.',
  },
  {
    key: 'pluginconfpath',
    scope: 'main',
    type: 'list',
    default: '/etc/dnf/plugins',
    meaning: 'Directories that are searched for kpatch.conf and versionlock.list.',
  },
] as const satisfies readonly OptionRow[];

export type OptionKey = (typeof OPTIONS)[number]['key'];

/** Other spellings. */
export const ALIASES: Readonly<Record<string, OptionKey>> = { exclude: 'excludepkgs', pkg_gpgcheck: 'gpgcheck' };

/** Options that only tighten what dnf accepts and that we cannot honour: a repository under them fails. */
export const NOT_HONOURED: Readonly<Record<string, string>> = {
  gpgkey_dns_verification: 'keys are not looked up in DNS',
};

/** dnf's other options: they concern nothing that kpatch-pm does, and are passed over without a word. */
export const PASSED_OVER: ReadonlySet<string> = new Set(
  `allow_downgrade allow_vendor_change arch autocheck_running_kernel autorefresh basearch best bugtracker_url cacheonly
  clean_requirements_on_remove color color_list_available_downgrade color_list_available_install color_list_available_reinstall
  color_list_available_running_kernel color_list_available_upgrade color_list_installed_extra color_list_installed_newer
  color_list_installed_older color_list_installed_reinstall color_list_installed_running_kernel color_search_match
  color_update_installed color_update_local color_update_remote comment config_file_path countme debug_solver debuglevel
  defaultyes deltarpm deltarpm_percentage destdir diskspacecheck distroverpkg downloadonly enabled_metadata enablegroups
  errorlevel exclude_from_weak exclude_from_weak_autodetect exit_on_lock failovermethod gpgcheck_policy
  group_package_types history_list_view history_record history_record_packages http_caching ignorearch install_weak_deps
  installonlypkgs installroot keepalive keeppackages log_compress log_rotate log_size logdir logfilelevel
  max_downloads_per_mirror mdpolicy mediaid metadata_expire_filter metadata_timer_sync mirrorlist_expire module_hotfixes
  module_obsoletes module_platform_id module_stream_switch multilib_policy obsoletes optional_metadata_types persistdir
  pluginpath plugins protected_packages recent reset_nice rpmverbosity showdupesfromrepos skip_broken skip_unavailable
  strict system_cachedir system_state transformdb tsflags type ui_repoid_vars upgrade_group_objects_upgrade
  use_host_config usr_drift_protected_paths zchunk`.split(/\s+/),
);

const BY_KEY: ReadonlyMap<string, OptionRow> = new Map(OPTIONS.map((row) => [row.key, row]));

/** The row of an option in any of its spellings; null when dnf or we do not know it. */
export function optionRow(key: string): OptionRow | null {
  return BY_KEY.get(ALIASES[key] ?? key) ?? null;
}
