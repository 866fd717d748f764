// The el10 world: gzip and zstd payloads, zstd metadata; and a stream that only rpm's order of versions gets right.
import type { RepositorySource } from '../builder/source.ts';
import { EL10, EL10_ORDER, kernelPackage } from './kernels.ts';
import { emptyPatch, fixes, livePatch } from './livepatch.ts';
import { utility } from './utility.ts';

export const EL10_REPO: RepositorySource = {
  id: 'el10',
  why: 'metadata compressed with zstd; epoch, tilde and caret in versions; a key of another algorithm',
  metadata: 'zst',
  signedBy: 'ed25519',
  packages: [
    kernelPackage(EL10, 'zstd', 'the ordinary el10 kernel'),
    kernelPackage(EL10_ORDER, 'zstd', 'its stream tests the order of versions'),
    utility('0.9.10', '2.el10', 'zstd'),
    emptyPatch(EL10, '0-0', { why: 'the start of the stream', payload: 'zstd' }),
    livePatch(EL10, '1-1', { why: 'a gzip payload among zstd ones', payload: 'gzip' }),
    {
      ...livePatch(EL10, '1-2', { why: 'signed with Ed25519', payload: 'zstd', fixes: fixes(2) }),
      signing: { key: 'ed25519' },
    },
    livePatch(EL10_ORDER, '1~rc1-9', { why: 'a tilde sorts below 1-1', payload: 'gzip' }),
    livePatch(EL10_ORDER, '1-3', { why: 'the highest without epoch but one', payload: 'gzip' }),
    livePatch(EL10_ORDER, '1^1-1', { why: 'a caret sorts above 1-3', payload: 'gzip' }),
    livePatch(EL10_ORDER, '1-2', {
      why: 'epoch 1 goes above everything without one: the newest',
      payload: 'gzip',
      epoch: 1,
    }),
  ],
};
