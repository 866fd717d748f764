// What a run has seen: plain data to decide on, and the means to act on it.
import type { Fetched } from '../apply/fetch.ts';
import type { World } from '../domain/world.ts';
import type { Machine } from '../host/machine.ts';
import type { Net } from '../net/access.ts';
import type { KpatchConf } from '../observe/config/kpatchconf.ts';
import type { Config } from '../observe/config/types.ts';
import type { Snapshot } from '../observe/repo/refresh.ts';
import type { Rpmdb } from '../observe/system/rpmdb.ts';
import type { Cache } from '../state/cache.ts';

/** A package file that was named. */
export interface NamedFile {
  /** Its bytes, and where they came from (a URL; null for a file). Raises `package-mismatch` or `file-unreadable` where it was changed since. */
  read(): Fetched;
}

/** The World, and the means by which it was seen: applying needs them again. */
export interface Observed {
  readonly machine: Machine;
  readonly config: Config;
  readonly kpatchConf: KpatchConf;
  readonly rpmdb: Rpmdb;
  readonly snapshots: readonly Snapshot[];
  readonly net: Net;
  readonly cache: Cache;
  readonly world: World;
  /** Package files that were named on the command line, by what was typed. */
  readonly named?: ReadonlyMap<string, NamedFile>;
  /** The bytes of module files that were named on the command line, by what was typed. */
  readonly modules?: ReadonlyMap<string, Buffer>;
}
