// readConfig: everything that dnf's files, ours and the command line say, as typed values.
import type { Problem } from '../../domain/because.ts';
import type { Root } from '../../host/root.ts';
import { readKpmConfig } from './kpm.ts';
import { readMainFiles } from './main.ts';
import type { OptionKey } from './options.ts';
import { type RunWide, repoConfig, transferOptions } from './repo.ts';
import { type Draft, findRepositories, unsupported } from './repositories.ts';
import { Resolver } from './resolve.ts';
import { selectRepos } from './select.ts';
import { readSetopts } from './setopt.ts';
import type { Config, ConfigRequest, MainConfig } from './types.ts';
import { type Place, readVariables, type Variables } from './variables.ts';
import { readVersionLocks } from './versionlock.ts';
import type { Remarks, Settings } from './written.ts';

/**
 * Reads the configuration of a root. What is broken in files becomes a notice or the problem of its repository.
 * Raises `config-missing`, `setopt-invalid`, `repo-unknown`: what the command line names must be right.
 * Source: dnf.conf(5), dnf(8), dnf5.conf(5); which paths count from where: docs/contract.md section 1.
 */
export function readConfig(root: Root, request: ConfigRequest): Config {
  const remarks: Remarks = { notices: [], details: [] };
  const files = readMainFiles(root, request, remarks);
  const setopts = readSetopts(request.setopt, remarks);
  const mainSettings = layered(files.settings, setopts.main);
  const early = new Resolver([mainSettings], {}, new Map(), { notices: [], details: [] }, 'main option ');
  const variables = readVariables(
    {
      directories: places(root, request, early, 'varsdir'),
      root,
      hostRoot: request.hostRoot,
      env: request.env,
      releasever: request.releasever ?? null,
      arch: request.arch,
      forcearch: request.forcearch ?? null,
      releaseOf: request.releaseOf,
    },
    remarks.notices,
  );
  const resolver = new Resolver([mainSettings], variables.values, variables.refused, remarks, 'main option ');
  const main = mainConfig(root, request, resolver, files.dnfConf?.file ?? null);
  const drafts = findRepositories(
    {
      root,
      dnfConf: files.dnfConf,
      reposdir: places(root, request, resolver, 'reposdir'),
      repofrompath: request.repofrompath,
      variables: variables.values,
    },
    remarks,
  );
  const run: RunWide = {
    nogpgcheck: request.nogpgcheck,
    mainExcludes: [...main.excludepkgs, ...(request.exclude ?? [])],
    mainIncludes: main.includepkgs,
    disabledExcludes: new Set([...resolver.list('disable_excludes'), ...(request.disableexcludes ?? [])]),
    cachedir: main.cachedir,
    cachedirOnHost: main.cachedirOnHost,
    mainChanged: resolver.bool('check_config_file_age') ? files.changed : null,
    problem: unsupported([...files.refused, ...setopts.refused]),
  };
  const typed = drafts.map((draft) =>
    typedRepo(draft, mainSettings, setopts.forRepo(draft.id), variables, remarks, run),
  );
  const fromCommandLine = new Set(drafts.filter((draft) => draft.fromCommandLine).map(({ id }) => id));
  const { enabled, disabled } = selectRepos(typed, fromCommandLine, request, remarks);
  const kpm = readKpmConfig(root, request, remarks.notices);
  const versionlocks = readVersionLocks(root, main.pluginconfpath, remarks.notices);
  return {
    main,
    repos: enabled,
    disabled,
    variables: variables.values,
    kpm,
    versionlocks,
    notices: unique(remarks.notices),
    details: unique(remarks.details),
  };
}

function typedRepo(
  draft: Draft,
  main: Settings,
  setopts: Settings,
  variables: Variables,
  remarks: Remarks,
  run: RunWide,
): Config['repos'][number] {
  const chain = [layered(draft.settings, setopts), main];
  const resolver = new Resolver(chain, variables.values, variables.refused, remarks, `repository ${draft.id}: `);
  return repoConfig(draft, resolver, run);
}

function layered(...layers: readonly Settings[]): Settings {
  const all: Settings = new Map();
  for (const layer of layers) {
    for (const [key, written] of layer) all.set(key, [...(all.get(key) ?? []), ...written]);
  }
  return all;
}

/** Directories of a list option: below the root, those of the command line on the host. */
function places(root: Root, request: ConfigRequest, resolver: Resolver, key: OptionKey): Place[] {
  const from = resolver.written(key)?.from === 'host' ? request.hostRoot : root;
  return resolver.list(key).map((path) => ({ root: from, path }));
}

function mainConfig(root: Root, request: ConfigRequest, resolver: Resolver, file: string | null): MainConfig {
  const cachedir = resolver.text('cachedir');
  const cachedirOnHost =
    cachedir !== null && resolver.written('cachedir')?.from === 'host' && root !== request.hostRoot;
  return {
    ...transferOptions(resolver),
    gpgcheck: resolver.bool('gpgcheck') && !request.nogpgcheck,
    localpkgGpgcheck: resolver.bool('localpkg_gpgcheck') && !request.nogpgcheck,
    excludepkgs: resolver.list('excludepkgs'),
    includepkgs: resolver.list('includepkgs'),
    installonlyLimit: resolver.number('installonly_limit'),
    protectRunningKernel: resolver.bool('protect_running_kernel'),
    cachedir: cachedir === null ? '/var/cache/kpatch-pm' : `${cachedir.replace(/\/+$/, '')}/kpatch-pm`,
    cachedirOnHost,
    keepcache: resolver.bool('keepcache'),
    pluginconfpath: resolver.list('pluginconfpath'),
    reposdir: resolver.list('reposdir'),
    varsdir: resolver.list('varsdir'),
    assumeyes: resolver.bool('assumeyes'),
    assumeno: resolver.bool('assumeno'),
    file,
  };
}

function unique(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [problem.text, problem])).values()];
}
