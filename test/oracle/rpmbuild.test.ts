// Packages built here with every payload compressor and file digest, read by us and by the installed rpm.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkDigests } from '../../src/formats/rpm/digests.ts';
import { packageFacts } from '../../src/formats/rpm/facts.ts';
import { digestOf } from '../../src/formats/rpm/hash.ts';
import { payloadCompression } from '../../src/formats/rpm/open.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { readPayload } from '../../src/formats/rpm/payload.ts';
import { realRun } from '../../src/host/run.ts';
import { type Built, buildRpm, SPEC_OF_ALL_KINDS } from '../support/build-rpm.ts';
import { needs } from '../support/programs.ts';

const ask = async (built: Built, format: string): Promise<string> =>
  (await realRun.run('rpm', ['-qp', '--nosignature', '--qf', format, built.file])).stdout.toString('utf8');

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

const COMPRESSORS: [payload: string, kind: string][] = [
  ['w.ufdio', 'none'],
  ['w9.gzdio', 'gzip'],
  ['w9.bzdio', 'bzip2'],
  ['w6.xzdio', 'xz'],
  ['w6.lzdio', 'lzma'],
  ['w19.zstdio', 'zstd'],
];
const DIGESTS: [number, string][] = [
  [1, 'md5'],
  [2, 'sha1'],
  [8, 'sha256'],
  [9, 'sha384'],
  [10, 'sha512'],
  [11, 'sha224'],
];

needs(
  'rpm',
  'rpmbuild',
  'xz',
)('packages with every compressor', () => {
  test.each(COMPRESSORS)('%s', async (payload, kind) => {
    const built = await buildRpm(SPEC_OF_ALL_KINDS, { _binary_payload: payload });
    try {
      const pkg = parseRpm(built.bytes);
      expect(pkg.format).toBe(4);
      expect(payloadCompression(pkg)).toBe(kind);
      expect(checkDigests(pkg).map((d) => d.verdict)).not.toContain('bad');
      expect(checkDigests(pkg).length).toBeGreaterThanOrEqual(5);
      const entries = await readPayload(pkg, {}, realRun.filter);

      // rpm: name, mode, size, digest of everything the header lists.
      const listed = lines(
        await ask(built, '[%{FILENAMES}|%{FILEMODES:octal}|%{FILESIZES}|%{FILEDIGESTS}|%{FILELINKTOS}\n]'),
      );
      const facts = packageFacts(pkg);
      expect(
        facts.files.map((f) => `${f.path}|${f.mode.toString(8)}|${f.size}|${f.digest ?? ''}|${f.linkTo ?? ''}`),
      ).toEqual(listed);
      expect(facts.files.filter((f) => f.ghost).map((f) => f.path)).toEqual(['/usr/lib/kpatch/k/ghost']);

      // What comes out is what the header lists without the ghost, each content under its own digest.
      expect(entries.map((e) => e.path)).toEqual(facts.files.filter((f) => !f.ghost).map((f) => f.path));
      for (const entry of entries) {
        const file = facts.files.find((f) => f.path === entry.path);
        if (entry.content !== null) expect(digestOf(file?.algorithm ?? '', entry.content)).toBe(file?.digest);
      }
      const at = (name: string) => entries.find((e) => e.path.endsWith(`/${name}`));
      expect(at('hard1')?.content?.toString()).toBe('shared\n');
      expect(at('hard2')?.content?.toString()).toBe('shared\n');
      expect(at('hard3')?.content?.toString()).toBe('shared\n');
      expect(at('empty')).toMatchObject({ size: 0, sha256: digestOf('sha256') });
      expect(at('link')).toMatchObject({ linkTo: 'small', content: null, sha256: null });
      expect((at('fifo')?.mode ?? 0) & 0o170000).toBe(0o010000);
    } finally {
      built.remove();
    }
  });
});

needs('rpm', 'rpmbuild')('packages with every file digest', () => {
  test.each(DIGESTS)('%i is %s', async (number, algorithm) => {
    const built = await buildRpm(SPEC_OF_ALL_KINDS, {
      _binary_filedigest_algorithm: `${number}`,
      _binary_payload: 'w9.gzdio',
    });
    try {
      const pkg = parseRpm(built.bytes);
      expect(new Set(packageFacts(pkg).files.map((f) => f.algorithm))).toEqual(new Set([algorithm]));
      expect((await readPayload(pkg, {}, realRun.filter)).length).toBe(10);
    } finally {
      built.remove();
    }
  });
});

needs('rpm', 'rpmbuild')('facts of a package', () => {
  let built: Built;
  beforeAll(async () => {
    built = await buildRpm(SPEC_OF_ALL_KINDS);
  });
  afterAll(() => built.remove());

  test('NEVRA, texts, times', async () => {
    const facts = packageFacts(parseRpm(built.bytes));
    expect(
      await ask(
        built,
        '%{NAME} %{EPOCH} %{VERSION} %{RELEASE} %{ARCH}|%{SUMMARY}|%{SOURCERPM}|%{BUILDTIME}|%{LONGSIZE}',
      ),
    ).toBe(
      `${facts.nevra.name} ${facts.nevra.epoch} ${facts.nevra.version} ${facts.nevra.release} ${facts.nevra.arch}|${facts.summary}|${facts.sourceRpm}|${facts.buildTime}|${facts.installedSize}`,
    );
    expect(facts.scripts).toEqual(['postinstall', 'preuninstall']);
  });

  test.each(['requires', 'provides', 'conflicts', 'obsoletes'] as const)('%s', async (list) => {
    const word = { EQ: '=', LT: '<', GT: '>', LE: '<=', GE: '>=' };
    const ours = packageFacts(parseRpm(built.bytes))[list].map((d) =>
      d.flags ? `${d.name} ${word[d.flags]} ${d.evr}` : d.name,
    );
    const theirs = await realRun.run('rpm', ['-qp', '--nosignature', `--${list}`, built.file]);
    expect(ours.sort()).toEqual(
      lines(theirs.stdout.toString('utf8'))
        .map((line) => line.trim())
        .sort(),
    );
    expect(ours.length).toBeGreaterThan(0);
  });

  test('changelog', async () => {
    const ours = packageFacts(parseRpm(built.bytes)).changelog;
    const theirs = lines(await ask(built, '[%{CHANGELOGTIME}|%{CHANGELOGNAME}|%{CHANGELOGTEXT}\n]'));
    expect(ours.map((entry) => `${entry.time}|${entry.author}|${entry.text}`)).toEqual(theirs);
    expect(ours.length).toBe(2);
  });

  test('source package', async () => {
    const source = await buildRpm(SPEC_OF_ALL_KINDS, {}, true);
    try {
      const pkg = parseRpm(source.bytes);
      expect(pkg.source).toBe(true);
      expect(pkg.nevra.arch).toBe('src');
      expect((await readPayload(pkg, {}, realRun.filter)).map((e) => e.path)).toEqual(['a.spec']);
    } finally {
      source.remove();
    }
  });
});
