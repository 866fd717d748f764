// Compressed streams, archives and ELF files.
import { gzipSync } from 'node:zlib';
import { decompress } from '../../../src/formats/codec/decompress.ts';
import { sniff } from '../../../src/formats/codec/sniff.ts';
import { moduleFacts } from '../../../src/formats/elf/module.ts';
import { cpioEntries } from '../../../src/formats/rpm/cpio.ts';
import { checkPath } from '../../../src/formats/rpm/files.ts';
import { inKeyring, parseKernelKeys } from '../../../src/host/keyring.ts';
import { livePatch } from '../../support/elf.ts';
import { forgeCpio } from '../../support/forge-rpm.ts';
import { mutate } from '../mutate.ts';
import type { Samples } from '../samples.ts';
import { insist, type Target } from '../target.ts';
import { noPrograms } from './package.ts';

const RELEASE = '5.14.0-1.el9.x86_64';
const TEXT = Buffer.from('some text that compresses, some text that compresses, and again: some text.\n'.repeat(20));
// TEXT as zstd 1.5 (two frames) and bzip2 write it: node can make neither.
const ZSTD = Buffer.from(
  'KLUv/WTwBL0BAHQCc29tZSB0ZXh0IHRoYXQgY29tcHJlc3NlcywgYW5kIGFnYWluOi4KBACYPeEDF42T2tAezjHwFH6+'.repeat(2),
  'base64',
);
const BZIP2 = Buffer.from(
  'QlpoOTFBWSZTWaO9GeoAAlLZgAAQQAUAEC7j3EAwALgKYTTQGmIUwmmgNMQKVKeoaBobUZJsTmTQmCdSdyrImhME+E7k9EwTcTAmSfCrqJoTYq9kwJgnBFwTkToVcCbCaE3E5ieSaJgmRNhPxVkiyVfxdyRThQkKO9GeoA==',
  'base64',
);
const MOST = 4 * 1024 * 1024;

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export function streamTargets(from: Samples, moduleSamples: readonly Buffer[]): Target[] {
  const modules = [
    ...moduleSamples,
    livePatch({ name: 'kpatch_5_14_0_1_1_1', release: RELEASE }),
    livePatch({ name: 'kpatch_5_14_0_1_1_1', release: RELEASE, bits: 32, machine: 3 }),
    livePatch({ name: 'kpatch_5_14_0_1_1_1', release: RELEASE, little: false, machine: 22 }),
  ];
  const archives = [
    ...from.archives,
    forgeCpio([
      { name: './a', data: Buffer.from('a') },
      { name: './b', mode: 0o120777, data: Buffer.from('a') },
      { name: './c', magic: '070702', data: Buffer.from('abc'), check: 294 },
    ]),
    forgeCpio([
      { index: 0, data: Buffer.from('a') },
      { index: 1, data: Buffer.from('bcd') },
    ]),
  ];
  const streams = [gzipSync(TEXT), Buffer.concat([gzipSync(TEXT), gzipSync(TEXT)]), ZSTD, BZIP2, TEXT];
  return [
    {
      name: 'elf',
      weight: 16,
      make: (random) =>
        mutate(random.pick(modules), modules, random, [
          'vermagic=',
          'livepatch=Y\0',
          'name=',
          '~Module signature appended~\n',
          '.modinfo\0',
          '\x7fELF',
        ]),
      run(bytes) {
        const facts = moduleFacts(bytes);
        insist(facts.name.length > 0 && !/[\0/]/.test(facts.name), `module name ${facts.name}`);
        if (facts.signature) inKeyring(facts.signature, parseKernelKeys(KEYS, 0));
      },
    },
    {
      name: 'proc-keys',
      weight: 1,
      make: (random) =>
        mutate(Buffer.from(KEYS), [], random, ['keyring ', 'asymmetri ', ': ', '\n', '.builtin_trusted_keys: 4']),
      run: (bytes) => {
        const verdict = inKeyring(
          { signer: 'CA', keyid: '0102', hash: 'sha256', names: 'certificate' },
          parseKernelKeys(bytes.toString(), 0),
        );
        insist(['yes', 'likely', 'no', 'unknown'].includes(verdict), verdict);
      },
    },
    {
      name: 'cpio',
      weight: 10,
      make: (random) =>
        mutate(random.pick(archives), archives, random, ['070701', '07070X', 'TRAILER!!!\0', '00000001', 'FFFFFFFF']),
      run(bytes) {
        let total = 0;
        for (const entry of cpioEntries(bytes, 1000, (index) =>
          index < 3 ? { mode: 0o100644, mtime: 0, size: 3 } : null,
        )) {
          total += entry.data.length;
          if (entry.name !== null) checkPath(entry.name);
        }
        insist(total <= bytes.length, 'an archive holds more than its bytes');
      },
    },
    {
      name: 'compressed',
      weight: 2,
      make: (random) => mutate(random.pick(streams), streams, random),
      async run(bytes) {
        let total = 0;
        const limits = { maxBytes: MOST, what: 'the input', maxRatio: 200 };
        for await (const chunk of decompress(sniff(bytes), once(bytes), limits, noPrograms)) total += chunk.length;
        insist(total <= MOST, 'more came out than is allowed');
      },
    },
  ];
}

const KEYS = `0ba59f0d I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: 2
1a1dbfa6 I------     1 perm 1f030000     0     0 asymmetri Vendor, Inc.: Vendor kernel signing key: 59a86e7aa2c8ee8ba8a25a3d5c4c3d4a3a3e9f00: X509.rsa 3a3e9f00 []
2f21bf10 I--Q---     4 perm 1f3f0000     0 65534 keyring   _uid.0: empty
`;
