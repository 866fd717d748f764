// How repositories are to be brought up to date in this run.
import type { Pipe } from '../../formats/codec/decompress.ts';
import type { Progress } from '../../host/machine.ts';
import type { Cloud } from '../../net/identity.ts';
import type { MetadataTrust } from './signed.ts';

export interface RefreshMode {
  /** --refresh: everything counts as expired. */
  readonly refresh: boolean;
  /** -C: the network is not touched, whatever the age. */
  readonly cacheOnly: boolean;
  /** For verbs that only show: a repository without metadata is a problem in its state, never an error. */
  readonly tolerant?: boolean;
  /** The advisories are wanted too: a long file of its own. */
  readonly advisories?: boolean;
  readonly now: Date;
  readonly pipe: Pipe;
  readonly progress?: (label: string, total: number | null) => Progress;
  /** Who may sign metadata (repo_gpgcheck); nobody unless said. */
  readonly trust?: MetadataTrust;
  /** --allow-older-metadata: signed metadata older than what was seen is taken. */
  readonly allowOlder?: boolean;
  /** Clouds whose update servers want to know the machine; the known ones unless said. */
  readonly clouds?: readonly Cloud[];
  /** Milliseconds of the first pause before a server is asked again; 500 unless said. */
  readonly backoff?: number;
}
