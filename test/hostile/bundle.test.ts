// Hostile bundles: each attack on the archive is refused by its own code, before anything of it is used.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { KpmError } from '../../src/errors.ts';
import { Root } from '../../src/host/root.ts';
import { openBundle } from '../../src/usecases/bundle/open.ts';
import {
  archive,
  END,
  type Entry,
  entriesOf,
  entryBytes,
  fileWith,
  isolatedRoot,
  madeBundle,
  manifestOf,
  runOn,
  withContent,
  withManifest,
} from '../support/bundle.ts';

let sound: Buffer;
let entries: Entry[];
beforeAll(async () => {
  sound = await madeBundle();
  entries = entriesOf(sound);
});

/** What comes of opening: the code, and the sentence. */
function opened(bytes: Buffer): { code: string; text: string } {
  const { file, remove } = fileWith(bytes);
  try {
    openBundle(new Root('/'), file).close();
    return { code: 'accepted', text: '' };
  } catch (error) {
    if (!(error instanceof KpmError)) throw error;
    return { code: error.code, text: error.message };
  } finally {
    remove();
  }
}

const rpm = (): Entry => entries.at(-1) as Entry;
/** The entries with one put before the last. */
const beside = (extra: Entry): Entry[] => [...entries.slice(0, -1), extra, rpm()];
const content = Buffer.from('root:x:0:0\n');

test('what the program made is taken, and putting it together again changes nothing', () => {
  expect(opened(sound).code).toBe('accepted');
  expect(opened(archive(entries)).code).toBe('accepted');
});

describe('entries that are no plain files', () => {
  const attacks: Record<string, [() => Entry, RegExp]> = {
    'a path that leaves the archive': [() => ({ name: '../../etc/passwd', bytes: content }), /leaves the archive/],
    'a path that leaves it further down': [() => ({ name: 'keys/../../x', bytes: content }), /leaves the archive/],
    'an absolute path': [() => ({ name: '/etc/passwd', bytes: content }), /is absolute/],
    'a name that reads as an option': [
      () => ({ name: '-1repodata/x', bytes: content }),
      /is no name that a bundle uses/,
    ],
    'a directory with one': [() => ({ name: 'repodata/-x', bytes: content }), /is no name that a bundle uses/],
    'a path made absolute by its prefix': [() => ({ name: 'passwd', prefix: '/etc', bytes: content }), /is absolute/],
    'a hidden name': [() => ({ name: 'keys/.bashrc', bytes: content }), /no name that a bundle uses/],
    'an empty component': [() => ({ name: 'keys//x', bytes: content }), /no name that a bundle uses/],
    'a symbolic link': [
      () => ({ name: 'keys/x', type: '2', link: '/etc/shadow', bytes: Buffer.alloc(0) }),
      /a symbolic link/,
    ],
    'a hard link': [
      () => ({ name: 'keys/x', type: '1', link: 'manifest.json', bytes: Buffer.alloc(0) }),
      /a hard link/,
    ],
    'a plain file with the target of a link': [
      () => ({ name: 'keys/x', link: '/etc/shadow', bytes: content }),
      /target of a link/,
    ],
    'a character device': [() => ({ name: 'keys/x', type: '3', bytes: Buffer.alloc(0) }), /a character device/],
    'a block device': [() => ({ name: 'keys/x', type: '4', bytes: Buffer.alloc(0) }), /a block device/],
    'a fifo': [() => ({ name: 'keys/x', type: '6', bytes: Buffer.alloc(0) }), /a fifo/],
    'a directory': [() => ({ name: 'keys', type: '5', bytes: Buffer.alloc(0) }), /a directory/],
    'a pax header that renames what follows': [
      () => ({ name: 'PaxHeader', type: 'x', bytes: Buffer.from('27 path=../../etc/passwd\n') }),
      /an extended header/,
    ],
    'a global pax header': [
      () => ({ name: 'PaxHeader', type: 'g', bytes: Buffer.from('9 a=b\n') }),
      /a global extended header/,
    ],
    'a long name of GNU tar': [
      () => ({ name: '././@LongLink', type: 'L', bytes: Buffer.from('../x\0') }),
      /long name of GNU tar/,
    ],
    'a sparse file': [() => ({ name: 'keys/x', type: 'S', bytes: content }), /a sparse file/],
    'a type nobody knows': [() => ({ name: 'keys/x', type: 'Z', bytes: content }), /an unknown type/],
    'a name with an escape sequence': [() => ({ name: 'keys/\x1b[2Jx', bytes: content }), /characters that no name/],
    'a name with a line break': [() => ({ name: 'keys/a\nb', bytes: content }), /characters that no name/],
    'a name with bytes behind its NUL': [() => ({ name: 'keys/a\0b', bytes: content }), /bytes behind its end/],
    'a name in another script': [() => ({ name: 'keys/\xe2\x80\xae', bytes: content }), /characters that no name/],
  };
  test.each(Object.entries(attacks))('%s', (_, [attack, why]) => {
    const found = opened(archive(beside(attack())));
    expect(found.code).toBe('bundle-entry-refused');
    expect(found.text).toMatch(why);
    // What is shown steers no terminal, before any cleaning.
    expect(found.text).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
});

describe('files that are not those of the manifest', () => {
  const other = (bytes: Buffer): Buffer => {
    const copy = Buffer.from(bytes);
    copy[copy.length - 1] = (copy.at(-1) as number) ^ 1;
    return copy;
  };
  test('a digest that lies', () => {
    const changed = entries.map((one) => (one === rpm() ? { ...one, bytes: other(one.bytes) } : one));
    expect(opened(archive(changed))).toEqual({
      code: 'bundle-file-mismatch',
      text: expect.stringContaining('does not have the digest'),
    });
  });
  test('every file is held to its digest', () => {
    for (const [n, one] of entries.entries()) {
      if (n === 0) continue;
      const changed = entries.map((entry, at) => (at === n ? { ...entry, bytes: other(one.bytes) } : entry));
      expect([one.name, opened(archive(changed)).code]).toEqual([one.name, 'bundle-file-mismatch']);
    }
  });
  test('a size that lies', () => {
    const changed = entries.map((one) => (one === rpm() ? { ...one, bytes: one.bytes.subarray(1) } : one));
    expect(opened(archive(changed))).toEqual({
      code: 'bundle-file-mismatch',
      text: expect.stringContaining('its manifest says'),
    });
  });
  test('a file that is not listed, in the middle and at the end', () => {
    const extra = { name: 'packages/extra.rpm', bytes: content };
    expect(opened(archive(beside(extra))).code).toBe('bundle-file-mismatch');
    expect(opened(archive([...entries, extra]))).toEqual({
      code: 'bundle-file-mismatch',
      text: expect.stringContaining('which its manifest does not list'),
    });
  });
  test('a file that is missing', () => {
    expect(opened(archive(entries.slice(0, -1)))).toEqual({
      code: 'bundle-file-mismatch',
      text: expect.stringContaining('is not in it'),
    });
  });
  test('files in another order', () => {
    expect(opened(archive([...entries.slice(0, 1), ...entries.slice(1).reverse()])).code).toBe('bundle-file-mismatch');
  });
  test('one path twice, of which readers may take one or the other', () => {
    expect(opened(archive([...entries, rpm()]))).toEqual({
      code: 'bundle-malformed',
      text: expect.stringContaining('twice'),
    });
    const second = { ...(entries[1] as Entry), bytes: content };
    expect(opened(archive(beside(second)))).toEqual({
      code: 'bundle-malformed',
      text: expect.stringContaining('twice'),
    });
  });
  test('a manifest that lists a path twice', () => {
    const twice = withManifest(entries, (manifest) => ({ ...manifest, files: [...manifest.files, manifest.files[0]] }));
    expect(opened(archive(twice)).code).toBe('bundle-malformed');
  });
  test('bytes between two files', () => {
    const short = entries.find(({ bytes }) => bytes.length % 512 !== 0) as Entry;
    const whole = archive(entries);
    const at = whole.indexOf(short.bytes) + short.bytes.length;
    whole[at] = 1;
    expect(opened(whole)).toEqual({ code: 'bundle-malformed', text: expect.stringContaining('between its files') });
  });
  test('something behind the end', () => {
    expect(opened(Buffer.concat([sound, content])).code).toBe('bundle-malformed');
    expect(opened(Buffer.concat([sound, Buffer.alloc(20 * 512)])).code).toBe('accepted');
    expect(opened(Buffer.concat([sound, Buffer.alloc(1024 * 512)])).code).toBe('bundle-malformed');
    expect(opened(Buffer.concat([archive(entries, Buffer.alloc(512)), entryBytes(rpm()), END])).code).toBe(
      'bundle-malformed',
    );
  });
});

test('flipped bits anywhere: noticed, or within the manifest, which only a signature protects', () => {
  const manifest = [512, 512 + (entries[0] as Entry).bytes.length] as const;
  let taken = 0;
  for (let at = 0; at < sound.length; at += 41) {
    const copy = Buffer.from(sound);
    copy[at] = (copy[at] as number) ^ (1 << (at % 8));
    const { code } = opened(copy);
    if (code !== 'accepted') continue;
    expect([at, at >= manifest[0] && at < manifest[1]]).toEqual([at, true]);
    taken++;
  }
  // Names and texts in it may be changed, nothing that says which bytes are in the archive.
  expect(taken).toBeGreaterThan(0);
});

describe('truncated and endless', () => {
  test('cut off anywhere', () => {
    for (let at = 0; at < sound.length; at += 777) {
      expect([at, opened(sound.subarray(0, at)).code]).toEqual([
        at,
        expect.stringMatching(/^(?:bundle-malformed|not-bundle)$/),
      ]);
    }
  });
  test('cut off at the end of a file, without an end of the archive', () => {
    expect(opened(archive(entries, Buffer.alloc(0))).code).toBe('bundle-malformed');
    expect(opened(archive(entries, Buffer.alloc(512))).code).toBe('bundle-malformed');
  });
  test('an entry that claims eight gigabytes is not read', () => {
    const [first, ...rest] = entries as [Entry, ...Entry[]];
    expect(opened(archive([{ ...first, claims: 0o77777777777 }, ...rest]))).toEqual({
      code: 'bundle-too-large',
      text: expect.stringContaining('manifest.json claims'),
    });
  });
  test('a manifest that agrees with the claim of a bomb', () => {
    const huge = withManifest(entries, (manifest) => ({
      ...manifest,
      files: manifest.files.map((file) => (file.path === rpm().name ? { ...file, size: 8_000_000_000 } : file)),
    }));
    const lying = huge.map((one) => (one.name === rpm().name ? { ...one, claims: 8_000_000_000 } : one));
    expect(opened(archive(lying)).code).toBe('bundle-too-large');
  });
  test('metadata that claims more than is held in memory', () => {
    const metadata = manifestOf(entries).files[1]?.path ?? '';
    const huge = withManifest(entries, (manifest) => ({
      ...manifest,
      files: manifest.files.map((file) => (file.path === metadata ? { ...file, size: 500_000_000 } : file)),
    }));
    const lying = huge.map((one) => (one.name === metadata ? { ...one, claims: 500_000_000 } : one));
    expect(opened(archive(lying)).code).toBe('bundle-too-large');
  });
  test('a size in the binary form of GNU tar', () => {
    const binary = { ...rpm(), header: (block: Buffer) => void block.fill(0xff, 124, 136) };
    expect(opened(archive([...entries.slice(0, -1), binary])).code).toBe('bundle-malformed');
  });
});

describe('what is no bundle, or no manifest', () => {
  test('another kind of file', () => {
    expect(opened(rpm().bytes)).toEqual({ code: 'not-bundle', text: expect.stringContaining('a single package') });
    expect(opened(gzipSync(sound))).toEqual({ code: 'not-bundle', text: expect.stringContaining('compressed') });
    expect(opened(Buffer.alloc(0)).code).toBe('not-bundle');
    expect(opened(archive(entries.slice(1))).code).toBe('not-bundle');
    expect(opened(Buffer.alloc(10240)).code).toBe('not-bundle');
  });
  test('a header block whose checksum does not hold', () => {
    const copy = Buffer.from(sound);
    copy[100] = 0x37;
    expect(opened(copy).code).toBe('bundle-malformed');
  });
  test('a manifest of a format to come', () => {
    expect(opened(archive(withManifest(entries, (manifest) => ({ ...manifest, format: 2 })))).code).toBe(
      'bundle-format',
    );
  });
  const wrong: Record<string, unknown> = {
    'an array': [],
    'no JSON': undefined,
    'another kind': { kind: 'something', format: 1 },
    'a kernel that is a path': { kernels: ['../../etc'] },
    'a file that is a path': { files: [{ path: '../x', size: 1, sha256: '0'.repeat(64) }] },
    'a digest that is none': { files: [{ path: 'repodata/repomd.xml', size: 1, sha256: 'x' }] },
    'a size that is none': { files: [{ path: 'repodata/repomd.xml', size: -1, sha256: '0'.repeat(64) }] },
    'no repomd.xml': { files: [] },
    'a package that is not listed': {
      packages: [{ path: 'packages/x', nevra: 'x', kernel: '5.14.0-1.el9.x86_64', repo: 'r', signer: null }],
    },
    'a time that is none': { made: 'yesterday' },
    'a fingerprint that is none': {
      keys: [{ path: 'repodata/repomd.xml', fingerprint: '12', owner: '', use: 'packages' }],
    },
    'a list that is none': { advisories: {} },
    'itself among its files': { files: [{ path: 'manifest.json', size: 1, sha256: '0'.repeat(64) }] },
  };
  test.each(Object.entries(wrong))('a manifest with %s', (_, part) => {
    const text =
      part === undefined
        ? '{"format":'
        : JSON.stringify(Array.isArray(part) ? part : { ...manifestOf(entries), ...part });
    const bytes = Buffer.from(text);
    const { code } = opened(archive([{ name: 'manifest.json', bytes }, ...entries.slice(1)]));
    expect(code).toMatch(/^bundle-(?:malformed|entry-refused)$/);
  });
});

describe('what only signatures tell', () => {
  async function installed(
    bytes: Buffer,
    more: readonly string[] = [],
  ): Promise<{ status: number; text: string; tree: string }> {
    const root = isolatedRoot();
    const { file, remove } = fileWith(bytes);
    try {
      const { status, out, err } = await runOn(root, ['-y', 'bundle', 'install', file, ...more]);
      const { out: tree } = await runOn(root, ['list', '--installed']);
      return { status, text: out + err, tree };
    } finally {
      remove();
      root.remove();
    }
  }
  const broken = (): Buffer => {
    const bytes = Buffer.from(rpm().bytes);
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] as number) ^ 1;
    return bytes;
  };
  test('a package that was changed, with a manifest that agrees, is refused at the fetch: the metadata does not', async () => {
    const first = await installed(archive(withContent(entries, rpm().name, broken())));
    expect(first.status).toBe(1);
    expect(first.text).toMatch(/is not what the metadata of repository bundle promises/);
    expect(first.tree).not.toMatch(/kpatch-patch/);
  });
  test('a package that was changed, with metadata that agrees too, is refused by what its vendor signed', async () => {
    const bytes = broken();
    const sum = (of: Buffer): string => createHash('sha256').update(of).digest('hex');
    const replaced = (of: Buffer, was: string, is: string): Buffer => Buffer.from(of.toString().replaceAll(was, is));
    const named = (ending: string): Entry => entries.find(({ name }) => name.endsWith(ending)) as Entry;
    const primary = named('-primary.xml');
    const told = replaced(primary.bytes, sum(rpm().bytes), sum(bytes));
    const repomd = named('repomd.xml');
    let changed = withContent(entries, rpm().name, bytes);
    changed = withContent(changed, primary.name, told);
    // Its name holds the digest too, and stays.
    const sums = repomd.bytes.toString().replaceAll(`>${sum(primary.bytes)}<`, `>${sum(told)}<`);
    changed = withContent(changed, repomd.name, Buffer.from(sums));
    const ran = await installed(archive(changed), ['--json']);
    expect(ran.status).toBe(1);
    expect(ran.text).toMatch(/"code": "digest-bad"/);
    expect(ran.tree).not.toMatch(/kpatch-patch/);
  });
  test('verify names a package that was changed, and fails', async () => {
    const { file, remove } = fileWith(archive(withContent(entries, rpm().name, broken())));
    const root = isolatedRoot();
    try {
      const { status, out } = await runOn(root, ['bundle', 'verify', file, '--json']);
      expect(status).toBe(1);
      const { packages, error } = JSON.parse(out);
      expect(packages).toEqual([
        expect.objectContaining({ authentic: 'refused', problem: expect.objectContaining({ code: 'digest-bad' }) }),
      ]);
      expect(error.code).toBe('bundle-package-refused');
    } finally {
      remove();
      root.remove();
    }
  });
  test("a package that bears another's name in the manifest", async () => {
    const named = withManifest(entries, (manifest) => ({
      ...manifest,
      packages: manifest.packages.map((one) => ({ ...one, nevra: 'kpatch-patch-9_9_9-1-1-1.el9.x86_64' })),
    }));
    const { file, remove } = fileWith(archive(named));
    const root = isolatedRoot();
    try {
      const { status, err } = await runOn(root, ['bundle', 'verify', file]);
      expect(status).toBe(1);
      expect(err).toMatch(/and the manifest calls it kpatch-patch-9_9_9-1-1-1/);
    } finally {
      remove();
      root.remove();
    }
  });
  test('texts of the manifest that steer a terminal are written out', async () => {
    const evil = withManifest(entries, (manifest) => ({
      ...manifest,
      repositories: [{ ...manifest.repositories[0], id: 'x\u001b]0;owned\u0007', name: '\u202eevil' }],
    }));
    const { file, remove } = fileWith(archive(evil));
    const root = isolatedRoot();
    try {
      for (const form of [[], ['--json']]) {
        const { out, err } = await runOn(root, ['bundle', 'verify', file, ...form]);
        expect(out + err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      }
    } finally {
      remove();
      root.remove();
    }
  });
});
