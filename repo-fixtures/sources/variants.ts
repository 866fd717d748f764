// Small repositories, each for one property of a repository.
import type { RepositorySource } from '../builder/source.ts';
import { EL9, k1Levels, k2Empty } from './el9.ts';
import { K1, K2, kernelPackage, PAST_NINE, POWER } from './kernels.ts';
import { fixes, livePatch } from './livepatch.ts';
import { utility } from './utility.ts';

const small = [k1Levels[0], k1Levels[1], k2Empty];

export const VARIANTS: readonly RepositorySource[] = [
  { id: 'metadata-xz', why: 'metadata compressed with xz', metadata: 'xz', packages: small },
  { id: 'metadata-bz2', why: 'metadata compressed with bzip2', metadata: 'bz2', packages: small },
  { id: 'empty', why: 'a repository without a package', metadata: 'gz', packages: [] },
  {
    id: 'kernels-only',
    why: 'kernels and no live patch: an autofilter would hide every kernel',
    metadata: 'gz',
    packages: [kernelPackage(K1, 'gzip', 'offered without a stream'), utility('0.9.7', '3.el9', 'zstd')],
  },
  {
    id: 'el9-second',
    why: 'a second repository for priority, cost and duplicates: the same files as el9, and levels of its own',
    metadata: 'gz',
    packages: [
      ...EL9.packages.filter((entry) => entry === k1Levels[1]),
      livePatch(K1, '1-4', { why: 'K1: newer than anything usable in el9', payload: 'gzip', fixes: fixes(6) }),
      livePatch(K2, '1-1', { why: 'K2: the first real fix after the subscription', payload: 'gzip' }),
      livePatch(PAST_NINE, '1-11', { why: 'one level above el9', payload: 'gzip' }),
      utility('0.9.11', '1.el9', 'zstd'),
    ],
  },
  {
    id: 'el9-ppc64le',
    why: 'the same kernel version on another architecture: same package names',
    metadata: 'gz',
    packages: [
      kernelPackage(POWER, 'gzip', 'K1 of another architecture'),
      livePatch(POWER, '1-5', { why: 'a higher level, but for ppc64le', payload: 'zstd', fixes: fixes(5) }),
    ],
  },
  {
    id: 'odd-name',
    why: 'a live patch whose name no scheme gives: its Requires and Provides alone tell the kernel',
    metadata: 'gz',
    packages: [
      {
        ...livePatch(K1, '2-1', {
          why: 'K1 under a name the scheme does not give: only Requires tell',
          payload: 'gzip',
        }),
        name: 'kpatch-patch-site-fixes',
        conflicts: [],
      },
    ],
  },
];
