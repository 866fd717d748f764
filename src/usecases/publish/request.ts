// What is asked of `publish`.
import type { KernelRelease } from '../../domain/kernel.ts';
import type { ModuleKey } from './sign-module.ts';

export interface PublishRequest {
  /** Absolute path on the host; null: an empty package. */
  readonly module: string | null;
  readonly kernel: KernelRelease;
  readonly version: string;
  readonly release: string;
  /** The secret key, as gpg knows it: signs the package and the metadata. */
  readonly sign: string;
  /** Absolute path on the host of the repository; it is made where it is not there. */
  readonly repository: string;
  readonly cves: readonly string[];
  /** What the level brings, a line each. */
  readonly texts: readonly string[];
  /** Key of Secure Boot; null: the module goes in as it is. */
  readonly moduleKey: ModuleKey | null;
  /** Publish the same or a lower level than what lies there. */
  readonly force: boolean;
}
