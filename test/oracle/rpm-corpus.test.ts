// Every package of the corpus, as rpm, gpg and GNU cpio see it.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { checkDigests } from '../../src/formats/rpm/digests.ts';
import { packageFacts } from '../../src/formats/rpm/facts.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { readPayload } from '../../src/formats/rpm/payload.ts';
import { signatureBlobs } from '../../src/formats/rpm/signatures.ts';
import { realRun } from '../../src/host/run.ts';
import { corpusDir, describeCorpus } from '../support/corpus.ts';

interface Expected {
  file: string;
  is_rpm?: false;
  format: number;
  source: boolean;
  sourcerpm: string | null;
  nevra: { name: string; epoch: string | null; version: string; release: string; arch: string };
  provides: [string, string, string][];
  requires: [string, string, string][];
  conflicts: [string, string, string][];
  obsoletes: [string, string, string][];
  scripts: string[];
  payload: { offset: number; compressor_tag: string | null; sha256: string | null };
  signatures: { tag: string; covers: string }[];
  digests: Record<string, 'OK' | 'BAD'>;
  files: { name: string; mode: string; size: number; sha256?: string; linkto?: string; nlink?: number }[];
  header_files: [string, string, number, string][];
}

const dir = corpusDir();
const packages: Expected[] = dir ? JSON.parse(readFileSync(path.join(dir, 'rpms/expected.json'), 'utf8')).packages : [];
const bytesOf = (file: string): Buffer => readFileSync(path.join(dir as string, 'rpms', file));
const good = packages.filter((p) => p.is_rpm !== false);

const SIGN = { EQ: '=', LT: '<', GT: '>', LE: '<=', GE: '>=' };
const triple = (d: { name: string; flags: keyof typeof SIGN | null; evr: string | null }) => [
  d.name,
  d.flags ? SIGN[d.flags] : '',
  d.evr ?? '',
];

/** rpm adds `NAME = EVR` to the Provides of format 3 packages while reading them, even where it is there already. We show what is written. */
const SELF_PROVIDE_ADDED = ['rpm__hello-1.0-1.x86_64.rpm-v3'];

describeCorpus('corpus: headers', () => {
  test.each(good.map((p) => [p.file, p] as const))('%s', (file, want) => {
    const pkg = parseRpm(bytesOf(file));
    const facts = packageFacts(pkg);
    expect(pkg.format).toBe(want.format);
    expect(pkg.source).toBe(want.source);
    // The corpus keeps the ARCH tag; a source package's architecture is `src`.
    expect({ ...pkg.nevra, arch: want.nevra.arch }).toEqual({ ...want.nevra, epoch: Number(want.nevra.epoch ?? 0) });
    expect(pkg.nevra.arch).toBe(want.source ? 'src' : want.nevra.arch);
    expect(facts.epochGiven).toBe(want.nevra.epoch !== null);
    expect(facts.sourceRpm).toBe(want.sourcerpm);
    for (const list of ['provides', 'requires', 'conflicts', 'obsoletes'] as const) {
      const theirs = [...want[list]].sort();
      const added = list === 'provides' && SELF_PROVIDE_ADDED.includes(file);
      if (added)
        theirs.splice(
          theirs.findIndex(([name]) => name === want.nevra.name),
          1,
        );
      expect(facts[list].map(triple).sort()).toEqual(theirs);
    }
    // `rpm -q --scripts`, where the corpus has them from, leaves triggers out.
    expect(facts.scripts.filter((name) => !name.includes('trigger')).sort()).toEqual([...want.scripts].sort());
    expect(pkg.bytes.length - pkg.payload.length).toBe(want.payload.offset);
    expect(facts.payloadCompressor).toBe(want.payload.compressor_tag);
    expect(facts.files.map((f) => [f.path, f.mode.toString(8), f.size, f.digest ?? '']).sort()).toEqual(
      [...want.header_files].sort(),
    );
  });
});

const DIGEST_NAMES: Record<string, string> = {
  'Header SHA1': 'header sha1',
  'Header SHA256': 'header sha256',
  'Payload SHA256': 'payload sha256',
  'Payload SHA256 ALT': 'open payload sha256',
  MD5: 'header+payload md5',
};

describeCorpus('corpus: digests and signatures', () => {
  test.each(good.map((p) => [p.file, p] as const))('%s', (file, want) => {
    const pkg = parseRpm(bytesOf(file));
    const ours = Object.fromEntries(checkDigests(pkg).map((d) => [`${d.name} ${d.algorithm}`, d.verdict]));
    const theirs = Object.entries(want.digests).map(([name, word]) => [
      DIGEST_NAMES[name],
      word === 'OK' ? 'ok' : 'bad',
    ]);
    expect(ours).toMatchObject(Object.fromEntries(theirs));
    expect(
      signatureBlobs(pkg)
        .map((s) => `${s.tag} ${s.covers}`)
        .sort(),
    ).toEqual(want.signatures.map((s) => `${s.tag} ${s.covers}`).sort());
  });
});

describeCorpus('corpus: payloads', () => {
  const broken: Record<string, string> = { 'rpm__hello-2.0-1.x86_64-corrupted.rpm': 'payload-malformed' };
  test.each(good.map((p) => [p.file, p] as const))('%s', async (file, want) => {
    const pkg = parseRpm(bytesOf(file));
    if (broken[file] !== undefined) {
      await expect(readPayload(pkg, {}, realRun.filter)).rejects.toMatchObject({ code: broken[file] });
      return;
    }
    const entries = await readPayload(pkg, {}, realRun.filter);
    const byPath = new Map(entries.map((e) => [e.path.replace(/^\//, ''), e]));
    expect(entries.length).toBe(want.files.length);
    for (const f of want.files) {
      const entry = byPath.get(f.name.replace(/^(\.\/|\/)/, ''));
      expect(entry?.mode).toBe(Number(f.mode));
      expect(entry?.linkTo ?? undefined).toBe(f.linkto);
      // The corpus gives a hard link's content to its last name only; ours have it under every name.
      if ((f.nlink ?? 1) === 1 || f.size > 0) {
        expect(entry?.size).toBe(f.size);
        expect(entry?.sha256 ?? undefined).toBe(f.sha256);
      }
    }
  });
});
