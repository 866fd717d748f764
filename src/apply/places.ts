// Where module files lie, below the root. Source: the vendor's spec files (payload) and the kpatch utility (active).
import type { KernelRelease } from '../domain/kernel.ts';
import { RETIRED, STAGING } from '../state/directory.ts';
import type { Place } from '../state/steps.ts';

/** The base directories: `active` is created where missing and never removed, `payload` belongs to the packages. */
export const BASE: Readonly<Record<Place, string>> = { active: 'var/lib/kpatch', payload: 'usr/lib/kpatch' };

export const kernelDirectory = (place: Place, kernel: KernelRelease): string => `${BASE[place]}/${kernel}`;

export const modulePath = (place: Place, kernel: KernelRelease, file: string): string =>
  `${kernelDirectory(place, kernel)}/${file}`;

/** The name a module has in its kernel's directory while it is written there, where renaming from staging is impossible. */
export const halfwayPath = (place: Place, kernel: KernelRelease, file: string): string =>
  `${kernelDirectory(place, kernel)}/.${file}.kpatch-pm`;

export const stagedPath = (sha256: string): string => `${STAGING}/${sha256}`;

export const retiredDirectory = (kernel: KernelRelease): string => `${RETIRED}/${kernel}`;
