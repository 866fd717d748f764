// `inspect` over every package of the corpus and of the fixtures: it never fails itself, and says of each what is known to be true.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parseKeys } from '../../src/formats/openpgp/index.ts';
import { realRun } from '../../src/host/run.ts';
import { type Inspection, inspectBytes, isSound } from '../../src/usecases/inspect/inspect.ts';
import { corpusDir, describeCorpus } from '../support/corpus.ts';
import { FIXTURES, hostileCases, KERNELS, matrixCells } from '../support/fixtures.ts';
import { needs } from '../support/programs.ts';

const NOW = new Date('2024-06-10T00:00:00Z');

async function inspect(file: string, keyFiles: readonly string[], now = NOW): Promise<Inspection> {
  const keys = keyFiles.flatMap((name) => parseKeys(readFileSync(name)));
  return inspectBytes(file, readFileSync(file), 0o100644, { keys, kernelKeys: null, now, run: realRun });
}

const codes = ({ refusals }: Inspection): string[] => refusals.map(({ code }) => code);

// ---- the corpus

interface Truth {
  file: string;
  is_rpm?: false;
  format: number;
  source: boolean;
  nevra: { name: string; epoch: string | null; version: string; release: string; arch: string };
  payload: { compressor_tag: string | null; compressor_by_magic: string };
  signatures: {
    tag: string;
    algorithm: string;
    hash: string;
    key_id?: string;
    good: boolean | null;
    verifies_with: string[];
  }[];
  digests: Record<string, 'OK' | 'BAD'>;
  files: { name: string; mode: string; size: number; sha256?: string; nlink?: number }[];
}

const dir = corpusDir() ?? '';
const truths: Truth[] =
  dir === '' ? [] : JSON.parse(readFileSync(path.join(dir, 'rpms/expected.json'), 'utf8')).packages;

/** What is refused in the corpus, and as what; every other package is sound. */
const REFUSED: Record<string, string[]> = {
  'extractcode__broken.rpm': ['rpm-malformed'],
  'pulp__bear-4.1-1.noarch.rpm': ['not-rpm'],
  'syft__bad.rpm': ['not-rpm'],
  'rpm__hello-2.0-1.x86_64-corrupted.rpm': ['digest-bad', 'payload-malformed'],
};

describeCorpus('every package of the corpus', () => {
  test.each(truths.map((truth) => [truth.file, truth] as const))('%s', async (name, truth) => {
    const file = path.join(dir, 'rpms', name);
    const found = await inspect(file, []);
    expect(codes(found)).toEqual(REFUSED[name] ?? []);
    expect(isSound(found)).toBe(REFUSED[name] === undefined);
    if (truth.is_rpm === false) {
      expect(found.nevra).toBeNull();
      return;
    }
    const { name: called, epoch, version, release, arch } = truth.nevra;
    const evr = `${Number(epoch ?? 0) > 0 ? `${epoch}:` : ''}${version}-${release}`;
    expect(found.kind).toBe(truth.source ? 'source-rpm' : 'rpm');
    expect(found.nevra).toBe(`${called}-${evr}.${truth.source ? 'src' : arch}`);
    expect(found.format).toBe(truth.format);
    expect(found.payload?.compressor).toBe(truth.payload.compressor_tag ?? truth.payload.compressor_by_magic);
    expect(found.digests.filter(({ verdict }) => verdict === 'bad').length).toBe(
      Object.values(truth.digests).filter((word) => word === 'BAD').length,
    );
    expect(found.signatures.map(({ tag, algorithm, hash, verdict }) => ({ tag, algorithm, hash, verdict }))).toEqual(
      truth.signatures.map(({ tag, algorithm, hash }) => ({ tag, algorithm, hash, verdict: 'no-key' })),
    );
    const unsigned = truth.signatures.length === 0;
    const damaged = Object.values(truth.digests).includes('BAD');
    expect(found.authentic).toBe(damaged ? 'bad' : unsigned ? 'unsigned' : 'untrusted');
    expect(found.livepatch).toBeNull();
    if (damaged) return;
    // A hard link's content is with every name here, with its last one in the corpus.
    const shown = new Map(found.files.map((one) => [one.path.replace(/^\//, ''), one]));
    expect(shown.size).toBe(truth.files.length);
    for (const one of truth.files.filter(({ nlink = 1, size }) => nlink === 1 || size > 0)) {
      expect(shown.get(one.name.replace(/^(\.\/|\/)/, ''))).toMatchObject({
        size: one.size,
        mode: Number(one.mode),
        sha256: one.sha256 ?? null,
      });
    }
  });

  const signed = truths.filter(({ signatures = [] }) =>
    signatures.some(({ verifies_with }) => verifies_with.length > 0),
  );
  test.each(signed.map((truth) => [truth.file, truth] as const))(
    '%s with the key that made its signature',
    async (name, truth) => {
      const [one] = truth.signatures;
      const key = path.join(dir, one?.verifies_with[0] ?? '');
      // A moment when every vendor's key was valid is not to be had: those that expired since still count for their time.
      const found = await inspect(path.join(dir, 'rpms', name), [key], new Date('2026-11-21T12:00:00Z'));
      const damaged = Object.values(truth.digests).includes('BAD');
      const weak = truth.signatures.every(({ hash }) => hash === 'SHA1' || hash === 'MD5');
      expect(found.authentic).toBe(damaged ? 'bad' : weak ? 'untrusted' : 'trusted');
      expect(found.signer !== null).toBe(found.authentic === 'trusted');
      expect(found.authenticBecause === null).toBe(found.authentic === 'trusted');
      for (const signature of found.signatures) {
        expect(['good', 'good-expired-key', 'weak']).toContain(signature.verdict);
        expect(signature.fingerprint).not.toBeNull();
      }
    },
  );

  const damaged: { file: string; rpm_4_18: { rpmkeys_says: string[] } }[] =
    dir === '' ? [] : JSON.parse(readFileSync(path.join(dir, 'rpms-damaged/expected.json'), 'utf8')).packages;
  test.each(damaged.map((one) => [one.file, one] as const))('damaged: %s', async (name, { rpm_4_18 }) => {
    const found = await inspect(path.join(dir, 'rpms-damaged', name), []);
    const said = rpm_4_18.rpmkeys_says.filter((line) => /digest: (OK|BAD)/.test(line));
    const kinds = found.kind === 'unknown' ? ['unsigned'] : ['bad'];
    expect(isSound(found)).toBe(false);
    expect(kinds).toContain(found.authentic);
    expect(found.nevra === null).toBe(said.length === 0);
    // Every digest that rpm calls bad is a bad one here.
    expect(found.digests.filter(({ verdict }) => verdict === 'bad').length).toBeGreaterThanOrEqual(
      said.filter((line) => line.includes('BAD')).length,
    );
  });
});

// ---- the fixtures

const TRUSTED = ['RPM-GPG-KEY-fixtures', 'RPM-GPG-KEY-fixtures-ed25519'];
const OWN_KEY: Readonly<Record<string, string>> = {
  expired: 'RPM-GPG-KEY-expired',
  revoked: 'RPM-GPG-KEY-revoked',
  'weak-dsa': 'RPM-GPG-KEY-weak-dsa',
};
const keyFile = (name: string): string => path.join(FIXTURES, 'keys', name);

needs('xz')('the matrix', () => {
  test.each(matrixCells())('$file: $expected', async ({ file, key, payload, expected }) => {
    const own = key === null ? undefined : OWN_KEY[key];
    const found = await inspect(path.join(FIXTURES, 'matrix', file), [...TRUSTED, ...(own ? [own] : [])].map(keyFile));
    const authentic = { ok: 'trusted', 'package-unsigned': 'unsigned' }[expected] ?? 'untrusted';
    expect([found.authentic, found.authenticBecause?.code ?? 'ok']).toEqual([authentic, expected]);
    expect(isSound(found)).toBe(true);
    expect(found.payload?.compressor).toBe({ none: 'none' }[payload as string] ?? payload);
    expect(found.livepatch).toMatchObject({
      kernel: KERNELS.K1,
      functions: ['vmlinux:example_ioctl', 'nf_tables:nft_example_walk'],
      cves: ['CVE-2024-90001'],
    });
    expect(found.livepatch?.modules.map(({ facts }) => facts.name)).toEqual(['kpatch_5_14_0_427_13_1_1_1']);
    expect(found.facts?.scripts).toEqual(['postinstall', 'postuninstall']);
  });
});

/** Faults between a package and the machine it would go to: the file itself is what it says. */
const NOT_IN_THE_FILE = ['requires-unknown', 'primary-in-comment', 'primary-name-slash'];
/** Told by their metadata, but damaged as well. */
const CHANGED_FILES = ['file-not-announced', 'file-longer-than-announced'];

describe('every hostile and broken package', () => {
  const packages = hostileCases().flatMap((one) => {
    const directory = path.join(FIXTURES, 'hostile', one.id, 'Packages');
    const names = readdirSync(path.dirname(directory)).includes('Packages') ? readdirSync(directory) : [];
    return names.map((name) => ({ ...one, file: path.join(directory, name) }));
  });
  test('there are many', () => expect(packages.length).toBeGreaterThan(80));

  test.each(packages)('$id: $why', async ({ id, stage, expected, file }) => {
    const found = await inspect(file, [keyFile('RPM-GPG-KEY-fixtures')]);
    const said = [...codes(found), ...(found.authenticBecause ? [found.authenticBecause.code] : [])];
    if (stage === 'extract') {
      expect(isSound(found)).toBe(false);
      expect(codes(found).some((code) => expected.includes(code))).toBe(true);
    } else if (id === 'header-source') {
      // Well signed, and what it is can be seen: no live patch.
      expect([found.kind, found.authentic, found.livepatch]).toEqual(['source-rpm', 'trusted', null]);
    } else if (stage === 'verify') {
      expect(found.authentic).not.toBe('trusted');
      expect(said.some((code) => expected.includes(code))).toBe(true);
    } else if (stage === 'decide' && !NOT_IN_THE_FILE.includes(id)) {
      expect(codes(found)).toEqual(['module-wrong-kernel']);
    } else if (CHANGED_FILES.includes(id)) {
      expect(found.authentic).toBe('bad');
      expect(new Set(codes(found))).toContain('digest-bad');
    } else {
      expect([found.authentic, codes(found)]).toEqual(['trusted', []]);
    }
  });
});
