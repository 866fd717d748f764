// The el8 world: xz payloads, gzip metadata.
import type { RepositorySource } from '../builder/source.ts';
import { EL8_10, EL8_EMPTY, EL8_FIRST, EL8_MIXED, kernelPackage } from './kernels.ts';
import { emptyPatch, fixes, livePatch } from './livepatch.ts';
import { utility } from './utility.ts';

const payload = 'xz';

export const EL8: RepositorySource = {
  id: 'el8',
  why: 'xz payloads, two digits of minor release, and the forms of the first years',
  metadata: 'gz',
  packages: [
    kernelPackage(EL8_FIRST, payload, 'the first kernel with live patches'),
    kernelPackage(EL8_EMPTY, payload, 'its stream never got further than an empty package'),
    kernelPackage(EL8_MIXED, payload, 'its stream has two dist suffixes'),
    kernelPackage(EL8_10, payload, 'two digits of minor release'),
    utility('0.9.4', '3.el8', payload),
    livePatch(EL8_FIRST, '1-5', {
      why: 'the old form: `Requires: kernel = V-R`, no architecture in the summary',
      payload,
      oldRequires: true,
      fixes: fixes(5, 2024, 93001),
    }),
    emptyPatch(EL8_EMPTY, '0-1', { why: 'a rebuilt empty package, as it really exists for this kernel', payload }),
    emptyPatch(EL8_MIXED, '0-0', { why: 'dist .el8 in the stream of an el8_4 kernel', payload, dist: '.el8' }),
    livePatch(EL8_MIXED, '1-4', { why: 'dist .el8_4 in the same stream', payload, fixes: fixes(4, 2024, 94001) }),
    livePatch(EL8_10, '1-1', { why: 'short name 4_18_0-553: all digits of el8_10 are cut', payload }),
    {
      ...livePatch(EL8_10, '1-2', { why: 'the newest for el8_10; brings a build-id link', payload, fixes: fixes(2) }),
      buildIdLinks: true,
    },
  ],
};
