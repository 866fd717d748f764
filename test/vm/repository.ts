// A served repository of live patches for the guests, and the guest's side of it: repo file, key, the built program.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { top } from '../support/top.ts';
import { command } from './command.ts';
import type { GuestOptions } from './machine.ts';
import { buildPatch, indexRepository, SigningKey } from './packages.ts';
import { type Server, serve } from './serve.ts';
import { level, type Prepared } from './world.ts';

export interface Publication {
  readonly prepared: Prepared;
  /** `1-2`: the module of that level. Null: an empty package `0-1`. */
  readonly level: string | null;
  /** Another module file in place of the level's own. */
  readonly module?: string;
}

/** A repository with a signing key of its own, on a web server. */
export class Repository {
  readonly server: Server;
  readonly #directory: string;
  readonly #key = new SigningKey();

  private constructor(directory: string, server: Server) {
    this.#directory = directory;
    this.server = server;
  }

  static async open(...publications: readonly Publication[]): Promise<Repository> {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-vm-repo-'));
    const repository = new Repository(directory, await serve(directory));
    repository.publish(...publications);
    return repository;
  }

  /** Adds packages and makes the metadata anew. */
  publish(...publications: readonly Publication[]): void {
    for (const { prepared, level: name, module } of publications) {
      const file = name === null ? null : (module ?? level(prepared, name).path);
      const source = { kernel: prepared.kernel.release, level: name ?? '0-1', module: file };
      buildPatch(source, path.join(this.#directory, 'Packages'), this.#key);
    }
    indexRepository(this.#directory);
  }

  /** Repo file and key, as an administrator would put them there. */
  guestFiles(): GuestOptions['files'] {
    const key = '/etc/pki/rpm-gpg/RPM-GPG-KEY-vm';
    const lines = ['[vm]', 'name=Live patches', `baseurl=${this.server.url}/`, 'gpgcheck=1', `gpgkey=file://${key}`];
    return { '/etc/yum.repos.d/vm.repo': { text: `${lines.join('\n')}\n` }, [key]: { text: this.#key.publicKey } };
  }

  async close(): Promise<void> {
    await this.server.close();
    this.#key.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

let built: string | null = null;

/** The built program, as a host gets it: made once in a run, apart from dist/, which others may be using. */
export function builtProgram(): string {
  if (built !== null) return built;
  const directory = mkdtempSync(path.join(os.tmpdir(), 'kpm-vm-dist-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const target = path.join(directory, 'kpatch-pm');
  command(process.execPath, [path.join(top, 'packaging/build.mjs'), target], { cwd: top });
  built = target;
  return target;
}

/** Where the program lies in the guest, and how it is called by its name. */
export function programFiles(): NonNullable<GuestOptions['files']> {
  return {
    '/usr/lib/kpatch-pm': builtProgram(),
    '/usr/bin/kpatch-pm': { text: '#!/bin/bash\nexec node /usr/lib/kpatch-pm/kpatch-pm.cjs "$@"\n', mode: 0o755 },
  };
}
