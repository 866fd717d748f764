// What the running kernel has loaded, as /sys/kernel/livepatch says it.
import type { LoadedPatch } from '../../domain/livepatch.ts';
import { livepatches } from '../../host/livepatch.ts';
import type { Root } from '../../host/root.ts';

/**
 * The live patches of the running kernel, by module name; empty where the kernel knows none or cannot be live-patched.
 * `sys` is the root under which /sys is mounted: the running system's, or a tree made by a test.
 */
export function loadedPatches(sys: Root): LoadedPatch[] {
  return livepatches(sys);
}
