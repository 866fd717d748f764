// Readers of signatures and keys.
import fc from 'fast-check';
import { dearmor } from '../../../src/formats/openpgp/armor.ts';
import { armor, mergeKeys, parseKeys, parseSignatures, verifySignature } from '../../../src/formats/openpgp/index.ts';
import { parseRpm } from '../../../src/formats/rpm/package.ts';
import { signatureBlobs } from '../../../src/formats/rpm/signatures.ts';
import { packet } from '../../support/forge-pgp.ts';
import { mutate } from '../mutate.ts';
import type { Random } from '../random.ts';
import type { Samples } from '../samples.ts';
import { insist, isRefusal, type Target } from '../target.ts';

const NOW = new Date('2024-06-10T00:00:00Z');
const ARMOR = [
  '-----BEGIN PGP PUBLIC KEY BLOCK-----\n',
  '-----END PGP PUBLIC KEY BLOCK-----\n',
  '-----BEGIN PGP SIGNATURE-----\n',
  '=AAAA\n',
  '\n\n',
  'Version: 1\n',
];

const isText = (bytes: Buffer): boolean => ((bytes[0] ?? 0) & 0x80) === 0;

/** A packet list in which some packet's body, length or place was changed. */
const shuffle = fc.record({
  tag: fc.constantFrom(2, 6, 13, 14, 17, 10, 21, 1, 60),
  body: fc.uint8Array({ maxLength: 60 }),
});

function packets(random: Random, sample: Buffer): Buffer {
  const more = fc.sample(fc.array(shuffle, { maxLength: 3 }), { seed: random.below(0x7fffffff), numRuns: 1 })[0] ?? [];
  const made = more.map(({ tag, body }) => packet(tag, Buffer.from(body)));
  return Buffer.concat(random.chance(2) ? [sample, ...made] : [...made, sample]);
}

function readKeys(bytes: Buffer): void {
  const keys = parseKeys(bytes);
  for (const key of keys) {
    insist(/^([0-9A-F]{40}|[0-9A-F]{64}|)$/.test(key.fingerprint), `fingerprint ${key.fingerprint}`);
    // What is kept in the store is read again as the same key, with the same validity.
    if (key.primary.packet.unsupported !== null) continue;
    const [again, ...more] = parseKeys(Buffer.from(armor(key.bytes, 'PUBLIC KEY BLOCK')));
    insist(more.length === 0, 'one key became several');
    const state = (one: typeof key | undefined) =>
      JSON.stringify([
        one?.fingerprint,
        one?.userIds,
        one?.expires,
        one?.revoked,
        one?.primary.unfit,
        one?.subkeys.map((sub) => [sub.packet.fingerprint, sub.expires, sub.revoked, sub.unfit]),
      ]);
    insist(state(again) === state(key), 'a key that was written is read as another one');
  }
  mergeKeys(keys);
}

export function openpgpTargets(from: Samples): Target[] {
  const keys = mergeKeys(from.keys.flatMap((bytes) => unlessRefused(() => parseKeys(bytes))));
  const binary = from.keys.flatMap((bytes) =>
    isText(bytes) ? unlessRefused(() => dearmor(bytes, 'PUBLIC KEY BLOCK')) : [bytes],
  );
  // A sample may be broken from the start.
  const blobs = from.packages.flatMap((bytes) =>
    unlessRefused(() => signatureBlobs(parseRpm(bytes)).map(({ blob, signed }) => ({ blob, signed }))),
  );
  return [
    {
      name: 'keys',
      weight: 6,
      make(random) {
        if (random.chance(3)) return mutate(random.pick(from.keys.filter(isText)), from.keys, random, ARMOR);
        const sample = random.chance(3) ? packets(random, random.pick(binary)) : random.pick(binary);
        return mutate(sample, binary, random);
      },
      run: readKeys,
    },
    {
      name: 'signature',
      weight: 14,
      make(random) {
        const { blob } = random.pick(blobs);
        if (random.chance(10)) return mutate(Buffer.from(armor(blob, 'SIGNATURE')), [], random, ARMOR);
        return mutate(
          random.chance(4) ? packets(random, blob) : blob,
          blobs.map((one) => one.blob),
          random,
        );
      },
      run(bytes) {
        for (const signature of parseSignatures(bytes)) {
          // Bytes nobody ever signed: whatever the packet says, it is not right over them.
          const { verdict, right } = verifySignature(signature, [Buffer.from('never signed by anybody')], keys, NOW);
          insist(right !== true && verdict !== 'good', 'a signature is good over bytes nobody signed');
          for (const { signed } of blobs.slice(0, 2)) verifySignature(signature, signed, keys, NOW);
        }
      },
    },
  ];
}

function unlessRefused<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch (error) {
    if (isRefusal(error)) return [];
    throw error;
  }
}
