// What the configuration comes to: plain, typed values. Everything that needs it takes these, never raw option texts.
import type { Problem } from '../../domain/because.ts';
import type { RolloutPolicy } from '../../domain/rollout.ts';
import type { Window } from '../../domain/window.ts';
import type { Root } from '../../host/root.ts';

/** Where a repository or value was written: path as shown to people, line from 1. */
export interface Origin {
  readonly file: string;
  readonly line: number;
}

export interface ConfigRequest {
  /** The running system's root: `-c`, `--kpm-config`, and what a person names count from here. */
  readonly hostRoot: Root;
  /** `-c FILE` (dnf.conf), a path of the host. */
  readonly configFile?: string | undefined;
  /** `--kpm-config FILE` (our own), a path of the host. */
  readonly kpmConfigFile?: string | undefined;
  /** `--setopt=[REPO.]KEY=VALUE`, in order. */
  readonly setopt: readonly string[];
  readonly enablerepo: readonly string[];
  readonly disablerepo: readonly string[];
  /** `--repo ID` (globs): only these are enabled. */
  readonly repo: readonly string[];
  /** `--repofrompath ID,PATH`. */
  readonly repofrompath: readonly string[];
  readonly releasever?: string | undefined;
  readonly forcearch?: string | undefined;
  readonly nogpgcheck: boolean;
  /** `--disableexcludes main|all|REPO`, as `disable_excludes`. */
  readonly disableexcludes?: readonly string[] | undefined;
  /** `--exclude PATTERN`: beside main's excludepkgs. */
  readonly exclude?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `uname -m` of the host. */
  readonly arch: string;
  /** VERSION of the package that provides the distribution's release; null when unknown (os-release is asked then). */
  readonly releaseOf: (root: Root) => string | null;
}

export interface TlsOptions {
  readonly verify: boolean;
  /** Absolute paths of the host; null: the system's store, no client certificate. */
  readonly caCert: string | null;
  readonly clientCert: string | null;
  readonly clientKey: string | null;
}

export interface ProxyOptions {
  /** `unset`: the usual environment variables count; `none`: no proxy, whatever they say. */
  readonly use: 'unset' | 'none' | 'url';
  readonly url: string | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly tls: TlsOptions;
}

export type IpResolve = 'any' | 4 | 6;

/** Everything a repository's transfers need; main's own values serve for URLs outside any repository (gpgkey). */
export interface TransferOptions {
  readonly proxy: ProxyOptions;
  readonly ssl: TlsOptions;
  /** `sslverifystatus`: the server must staple a good OCSP answer. */
  readonly sslVerifyStatus: boolean;
  readonly username: string | null;
  readonly password: string | null;
  /** Seconds without enough progress (see minrate) until a transfer is given up; 0: never. */
  readonly timeout: number;
  /** Attempts in all; 0: without end. */
  readonly retries: number;
  /** Bytes a second; slower than this for `timeout` seconds is given up. */
  readonly minrate: number;
  /** Bytes a second at most; 0: no limit (per cents of `bandwidth` are resolved already). */
  readonly throttle: number;
  readonly ipResolve: IpResolve;
  /** Null: the program's own. */
  readonly userAgent: string | null;
  readonly maxParallelDownloads: number;
  readonly fastestmirror: boolean;
}

export interface RepoConfig extends TransferOptions {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  /** URLs in order, variables substituted; a plain path became a file: URL. */
  readonly baseurl: readonly string[];
  readonly mirrorlist: string | null;
  readonly metalink: string | null;
  /** Lower wins. */
  readonly priority: number;
  /** Lower wins between equals. */
  readonly cost: number;
  /** Globs; main's are merged in unless `disable_excludes` says otherwise. */
  readonly excludepkgs: readonly string[];
  /** Globs; empty: everything. */
  readonly includepkgs: readonly string[];
  readonly gpgcheck: boolean;
  readonly repoGpgcheck: boolean;
  /** URLs of keys (file: ones are the host's). */
  readonly gpgkey: readonly string[];
  readonly skipIfUnavailable: boolean;
  /** Seconds; Infinity for never. */
  readonly metadataExpire: number;
  readonly keepcache: boolean;
  /** Our cache below the root, absolute; see cachedirOnHost. */
  readonly cachedir: string;
  /** Given by --setopt: a path of the host, not below the root. */
  readonly cachedirOnHost: boolean;
  /** When a file that configures it was last changed (newest of .repo, dnf.conf, overrides), ms since 1970; null when `check_config_file_age=0`. */
  readonly configChanged: number | null;
  readonly origin: Origin;
  /**
   * Why it must not be used (an option that tightens security and is not honoured, no URL, a broken value), as it goes on
   * behind `cannot be used:`; null when fine.
   */
  readonly problem: Problem | null;
}

export interface MainConfig extends TransferOptions {
  readonly gpgcheck: boolean;
  readonly localpkgGpgcheck: boolean;
  readonly excludepkgs: readonly string[];
  readonly includepkgs: readonly string[];
  /** 0: no limit. */
  readonly installonlyLimit: number;
  readonly protectRunningKernel: boolean;
  /** Our cache (kpatch-pm below dnf's cachedir), below the root. */
  readonly cachedir: string;
  /** Given by --setopt: a path of the host, not below the root. */
  readonly cachedirOnHost: boolean;
  readonly keepcache: boolean;
  /** Below the root. */
  readonly pluginconfpath: readonly string[];
  readonly reposdir: readonly string[];
  readonly varsdir: readonly string[];
  readonly assumeyes: boolean;
  readonly assumeno: boolean;
  /** The file that was read; null when there is none. */
  readonly file: string | null;
}

/** One rule of dnf's versionlock: packages of `name` must satisfy it; `exclude` turns it round. */
export interface VersionLock {
  /** The rule as written. */
  readonly text: string;
  /** Glob over NEVRA forms (dnf4), or the name (dnf5). */
  readonly pattern: string;
  readonly exclude: boolean;
  /** dnf5: all must hold. Null for dnf4. */
  readonly conditions: readonly VersionCondition[] | null;
  readonly origin: Origin;
}

export interface VersionCondition {
  readonly key: 'epoch' | 'evr' | 'arch';
  readonly comparator: '=' | '!=' | '<' | '<=' | '>' | '>=';
  readonly value: string;
}

/** Our own options (kpm.ts holds the table). */
export interface KpmConfig {
  readonly loader: 'auto' | 'kpatch' | 'builtin';
  /** Modules from unsigned packages are accepted; shouted on every run. */
  readonly allowUnsigned: boolean;
  /** Seconds to wait for the lock where the command line says nothing. */
  readonly lockTimeout: number;
  /** Seconds until a transition that does not end is helped (signal), and until it is given up. */
  readonly stallSignal: number;
  readonly stallGiveUp: number;
  /** The first successful installation proposes (unattended: records) a pin for its stream. */
  readonly pinFirstSigner: boolean;
  /** Seconds before the end of the last good key from which on `status` warns. */
  readonly keyExpiryWarning: number;
  /** When unattended runs may load; local time. */
  readonly maintenanceWindow: readonly Window[];
  /** What holds new levels back for a while. */
  readonly rollout: RolloutPolicy;
  /** Unattended runs do nothing before this date (YYYY-MM-DD); empty: none. */
  readonly freezeUntil: string;
  /** A probe on a function that is replaced: told, or a reason not to load. */
  readonly onConflict: 'warn' | 'refuse';
  /** Key fingerprints that alone may sign live patches of a stream (`rhel`); empty: any trusted key. */
  readonly pinnedKeys: readonly { readonly stream: string; readonly fingerprints: readonly string[] }[];
  /** The files that were read. */
  readonly files: readonly string[];
}

export interface Config {
  readonly main: MainConfig;
  /** Enabled repositories, in file and section order; those with a `problem` too: it must be said, not hidden. */
  readonly repos: readonly RepoConfig[];
  /** Known but not enabled (for repolist). */
  readonly disabled: readonly RepoConfig[];
  readonly variables: Readonly<Record<string, string>>;
  readonly kpm: KpmConfig;
  readonly versionlocks: readonly VersionLock[];
  /** Warnings for people, none fatal. */
  readonly notices: readonly Problem[];
  /** Shown with -v only (unknown options and the like). */
  readonly details: readonly Problem[];
}
