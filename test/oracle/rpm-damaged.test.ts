// Damaged packages and archives of the corpus: what rpm refuses, we refuse; what rpm calls BAD, we call bad.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { KpmError } from '../../src/errors.ts';
import { decompress } from '../../src/formats/codec/decompress.ts';
import { sniff } from '../../src/formats/codec/sniff.ts';
import { cpioEntries } from '../../src/formats/rpm/cpio.ts';
import { checkDigests } from '../../src/formats/rpm/digests.ts';
import { checkPath } from '../../src/formats/rpm/files.ts';
import { digestOf } from '../../src/formats/rpm/hash.ts';
import { parseRpm } from '../../src/formats/rpm/package.ts';
import { readPayload } from '../../src/formats/rpm/payload.ts';
import { realRun } from '../../src/host/run.ts';
import { corpusDir, describeCorpus } from '../support/corpus.ts';

const dir = corpusDir();
const read = (...parts: string[]): Buffer => readFileSync(path.join(dir as string, ...parts));
const json = (...parts: string[]) => JSON.parse(read(...parts).toString('utf8'));

interface Damaged {
  file: string;
  rpm_4_18: { rpmkeys_says: string[]; rpm2cpio_rc: number };
}

const NAMES: Record<string, string> = {
  'Header SHA1': 'header sha1',
  'Header SHA256': 'header sha256',
  'Payload SHA256': 'payload sha256',
  MD5: 'header+payload md5',
};

const damaged: Damaged[] = dir ? json('rpms-damaged', 'expected.json').packages : [];
const notRpm = ['extractcode__broken.rpm', 'pulp__bear-4.1-1.noarch.rpm', 'syft__bad.rpm'];

describeCorpus('corpus: damaged packages', () => {
  test.each(damaged.map((p) => [p.file, p] as const))('%s', async (file, { rpm_4_18: rpm }) => {
    const bytes = read('rpms-damaged', file);
    const said = rpm.rpmkeys_says.flatMap((line) => {
      const [, name = '', word = ''] = /^(.*?) digest: (OK|BAD)/.exec(line) ?? [];
      return NAMES[name] === undefined ? [] : [[NAMES[name], word.toLowerCase()]];
    });
    if (said.length === 0) {
      // rpm could not read it at all.
      expect(() => parseRpm(bytes)).toThrow(KpmError);
      expect(() => parseRpm(bytes)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^(not-rpm|rpm-malformed)$/) }),
      );
      return;
    }
    const pkg = parseRpm(bytes);
    const ours = Object.fromEntries(checkDigests(pkg).map((d) => [`${d.name} ${d.algorithm}`, d.verdict]));
    expect(ours).toMatchObject(Object.fromEntries(said));
    // Where the header is whole, unpacking finds the damage too, without any digest of the package.
    const headerWhole = !Object.entries(ours).some(([name, word]) => name.startsWith('header ') && word === 'bad');
    if (headerWhole && (ours['payload sha256'] === 'bad' || rpm.rpm2cpio_rc !== 0)) {
      await expect(readPayload(pkg, {}, realRun.filter)).rejects.toBeInstanceOf(KpmError);
    }
  });

  test.each(notRpm)('%s', (file) => {
    expect(() => parseRpm(read('rpms', file))).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(not-rpm|rpm-malformed)$/) }),
    );
  });
});

interface Archive {
  magic: string;
  compression: string;
  entries: { name: string; mode: string; size: number; sha256?: string; linkto?: string; nlink?: number }[];
}

/** One archive has a line feed behind its trailer; in a package that would be hidden bytes, which we refuse. */
const withoutLineFeed = (file: string, bytes: Buffer): Buffer =>
  file === 'gorpmutils__dotdot.cpio' ? bytes.subarray(0, -1) : bytes;

/** rpm writes only the SVR4 forms, so those are all we read; the portable and the old binary ones are refused. */
const SVR4 = ['070701', '070702'];
const archives: [string, Archive][] = dir ? Object.entries(json('cpio', 'expected.json')) : [];

describeCorpus('corpus: cpio archives', () => {
  test.each(archives)('%s', async (file, want) => {
    const bytes = read('cpio', file);
    const kind = sniff(bytes);
    expect(kind).toBe(want.compression);
    const chunks: Buffer[] = [];
    async function* source() {
      yield bytes;
    }
    for await (const chunk of decompress(kind, source(), { maxBytes: 1e6, what: file }, realRun.filter))
      chunks.push(chunk);
    const opened = withoutLineFeed(file, Buffer.concat(chunks));
    if (!SVR4.includes(Buffer.from(want.magic, 'hex').toString('latin1'))) {
      expect(() => [...cpioEntries(opened, 100)]).toThrow(expect.objectContaining({ code: 'payload-malformed' }));
      return;
    }
    const ours = [...cpioEntries(opened, 100)].map((entry) => {
      const type = entry.mode & 0o170000;
      return {
        name: entry.name,
        mode: `0o${entry.mode.toString(8)}`,
        size: entry.data.length,
        ...(type === 0o100000 ? { sha256: digestOf('sha256', entry.data) } : {}),
        ...(type === 0o120000 ? { linkto: entry.data.toString('utf8') } : {}),
      };
    });
    expect(ours).toEqual(
      want.entries.map(({ name, mode, size, sha256, linkto }) =>
        JSON.parse(JSON.stringify({ name, mode, size, sha256, linkto })),
      ),
    );
  });

  const dotdot = 'gorpmutils__dotdot.cpio';
  test('a name with .. is refused where paths are checked', () => {
    const [entry] = [...cpioEntries(withoutLineFeed(dotdot, read('cpio', dotdot)), 10)];
    expect(() => checkPath(entry?.name as string)).toThrow(expect.objectContaining({ code: 'payload-path' }));
  });
});
