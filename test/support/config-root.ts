// A root made of files, and the configuration read from it.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Root } from '../../src/host/root.ts';
import { readConfig } from '../../src/observe/config/config.ts';
import type { Config, ConfigRequest, RepoConfig } from '../../src/observe/config/types.ts';

const made: string[] = [];

/** A temporary directory with these files; a content that begins with `-> ` is a link. */
export function tree(files: Readonly<Record<string, string | Buffer>>): string {
  const top = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'kpatch-pm-tree-')));
  made.push(top);
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(top, name);
    mkdirSync(path.dirname(file), { recursive: true });
    if (typeof content === 'string' && content.startsWith('-> ')) symlinkSync(content.slice(3), file);
    else writeFileSync(file, content);
  }
  return top;
}

/** Removes what `tree` made; for afterAll. */
export function removeTrees(): void {
  for (const top of made.splice(0)) rmSync(top, { recursive: true, force: true });
}

export function requestOf(more: Partial<ConfigRequest> = {}): ConfigRequest {
  return {
    hostRoot: new Root('/'),
    setopt: [],
    enablerepo: [],
    disablerepo: [],
    repo: [],
    repofrompath: [],
    nogpgcheck: false,
    env: {},
    arch: 'x86_64',
    releaseOf: () => '9.4',
    ...more,
  };
}

export function configFrom(
  files: Readonly<Record<string, string | Buffer>>,
  more: Partial<ConfigRequest> = {},
): Config {
  return readConfig(new Root(tree(files)), requestOf(more));
}

/** The one repository of a .repo text. */
export function repoFrom(
  text: string,
  more: Partial<ConfigRequest> = {},
  files: Record<string, string> = {},
): RepoConfig {
  const config = configFrom({ 'etc/yum.repos.d/test.repo': text, ...files }, more);
  const [repo] = [...config.repos, ...config.disabled];
  if (repo === undefined) throw new Error(`no repository: ${JSON.stringify(config.notices)}`);
  return repo;
}
