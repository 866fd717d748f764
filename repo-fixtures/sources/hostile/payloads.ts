// Packages that rpmbuild would never make: payload and header changed by hand, every digest made right again, and signed by
// the trusted key. A signer who was deceived, or who deceives.
import { type CpioEntry, readCpio, writeCpio } from '../../builder/cpio.ts';
import type { Workshop } from '../../builder/package.ts';
import { type RpmParts, type SealOptions, sealRpm, splitRpm, TAG } from '../../builder/rpmfile.ts';
import { type HeaderEntry, texts } from '../../builder/rpmheader.ts';
import type { HostileCase } from './case.ts';

/** Seals changed parts and has rpmsign sign them with the release key. */
function resealed(parts: RpmParts, workshop: Workshop, options: SealOptions = {}): Buffer {
  return workshop.keyring.signBytes(sealRpm(parts, options), { key: 'release' });
}

const evil = Buffer.from('evil\n');
const regular = (name: string, data: Buffer = evil, mode = 0o100644): CpioEntry => ({ name, mode, data });
const isModule = (entry: CpioEntry) => entry.name.endsWith('.ko');

interface CpioOptions {
  readonly trailer?: boolean;
  readonly tail?: Buffer;
}

function cpioCase(
  id: string,
  why: string,
  expected: readonly string[],
  change: (entries: CpioEntry[], module: CpioEntry) => CpioEntry[],
  options: CpioOptions = {},
): HostileCase {
  return {
    id: `cpio-${id}`,
    why,
    stage: 'extract',
    expected: [...expected, 'payload-malformed'],
    file: (good, workshop) => {
      const parts = splitRpm(good);
      const entries = readCpio(parts.cpio);
      const module = entries.find(isModule);
      if (!module) throw new Error('the good package has no module');
      return resealed({ ...parts, cpio: writeCpio(change(entries, module), options) }, workshop);
    },
  };
}

/** Replaces the module's entry. */
const other = (entries: CpioEntry[], entry: CpioEntry) => entries.map((each) => (isModule(each) ? entry : each));

const flipped = (data: Buffer) => {
  const copy = Buffer.from(data);
  copy[copy.length - 20] = (copy[copy.length - 20] ?? 0) ^ 1;
  return copy;
};

const CPIO_CASES: readonly HostileCase[] = [
  cpioCase('parent', 'a name with .. climbs out of the tree', ['payload-path', 'payload-extra'], (entries) => [
    ...entries,
    regular('./usr/lib/kpatch/../../../etc/cron.d/evil'),
  ]),
  cpioCase('parent-first', 'a name that begins with ..', ['payload-path', 'payload-extra'], (entries) => [
    regular('../../../../../../tmp/evil'),
    ...entries,
  ]),
  cpioCase('absolute', 'an absolute name', ['payload-path', 'payload-extra'], (entries) => [
    ...entries,
    regular('/etc/cron.d/evil'),
  ]),
  cpioCase('extra', 'an entry that the header does not list', ['payload-extra', 'payload-path'], (entries) => [
    ...entries,
    regular('./etc/cron.d/evil'),
  ]),
  cpioCase('missing', 'the module that the header lists is not there', ['payload-missing'], (entries) =>
    entries.filter((entry) => !isModule(entry)),
  ),
  cpioCase(
    'twice',
    'the module comes twice, the second time with other bytes',
    ['payload-duplicate', 'payload-digest'],
    (entries, module) => [...entries, { ...module, data: flipped(module.data) }],
  ),
  cpioCase('other-bytes', "one bit differs from the header's file digest", ['payload-digest'], (entries, module) =>
    other(entries, { ...module, data: flipped(module.data) }),
  ),
  cpioCase('other-size', 'longer than the header says', ['payload-mismatch', 'payload-digest'], (entries, module) =>
    other(entries, { ...module, data: Buffer.concat([module.data, evil]) }),
  ),
  cpioCase(
    'setuid',
    'set-user-id in the archive, not in the header',
    ['payload-mismatch', 'package-file-refused'],
    (entries, module) => other(entries, { ...module, mode: 0o104755 }),
  ),
  cpioCase(
    'symlink',
    'a link in the archive, a file in the header',
    ['payload-mismatch', 'package-file-refused'],
    (entries, module) => other(entries, { ...module, mode: 0o120777, data: Buffer.from('/etc/shadow') }),
  ),
  cpioCase(
    'through-symlink',
    'the directory is a link to /etc, the module follows it',
    ['payload-mismatch', 'payload-duplicate', 'package-file-refused'],
    (entries) =>
      entries.map((entry) =>
        entry.mode === 0o040755 ? { ...entry, mode: 0o120777, data: Buffer.from('/etc') } : entry,
      ),
  ),
  cpioCase(
    'device',
    'a device in place of the module',
    ['payload-mismatch', 'package-file-refused'],
    (entries, module) => other(entries, { ...module, mode: 0o020666, data: Buffer.alloc(0) }),
  ),
  cpioCase(
    'newline-name',
    'a line break and a terminal escape in a name',
    ['payload-path', 'payload-extra'],
    (entries) => [...entries, regular('./usr/lib/kpatch/\u001b[2J\nok')],
  ),
  cpioCase(
    'nul-name',
    'a NUL inside a name: C and JavaScript would read two names',
    ['payload-path', 'payload-extra'],
    (entries) => [...entries, regular('./usr/lib/kpatch\0/../../etc/evil')],
  ),
  cpioCase(
    'huge-size',
    'an entry that claims 4 GB',
    ['too-large', 'payload-mismatch', 'payload-digest'],
    (entries, module) => other(entries, { ...module, claims: { size: 0xfffffff0 } }),
  ),
  cpioCase('huge-name', 'a name that claims 2 GB', ['too-large', 'payload-path'], (entries, module) =>
    other(entries, { ...module, claims: { nameSize: 0x7fffffff } }),
  ),
  cpioCase('no-name', 'a name of no bytes', ['payload-path', 'payload-extra'], (entries, module) =>
    other(entries, { ...module, claims: { nameSize: 0 } }),
  ),
  cpioCase('bad-magic', 'an entry without the magic', ['corrupt-stream'], (entries, module) =>
    other(entries, { ...module, magic: '07070!' }),
  ),
  cpioCase('no-trailer', 'the archive ends without its trailer', ['corrupt-stream'], (entries) => entries, {
    trailer: false,
  }),
  cpioCase('after-trailer', 'more entries behind the trailer', ['payload-extra'], (entries) => entries, {
    tail: writeCpio([regular('./etc/cron.d/evil')]),
  }),
];

function headerCase(
  id: string,
  why: string,
  stage: HostileCase['stage'],
  expected: readonly string[],
  change: (header: readonly HeaderEntry[]) => readonly HeaderEntry[],
): HostileCase {
  const file: HostileCase['file'] = (good, workshop) => {
    const parts = splitRpm(good);
    return resealed({ ...parts, header: change(parts.header) }, workshop);
  };
  return { id: `header-${id}`, why, stage, expected, file };
}

const replaced = (header: readonly HeaderEntry[], entry: HeaderEntry) =>
  header.map((each) => (each.tag === entry.tag ? entry : each));

const strings = (header: readonly HeaderEntry[], tag: number) =>
  (header.find((entry) => entry.tag === tag)?.data.toString() ?? '').split('\0').slice(0, -1);

const HEADER_CASES: readonly HostileCase[] = [
  headerCase('parent', 'a directory with .. in the header', 'extract', ['payload-path'], (header) =>
    replaced(
      header,
      texts(
        TAG.dirNames,
        strings(header, TAG.dirNames).map((name) =>
          name.includes('kpatch/5') ? '/usr/lib/kpatch/../../../etc/' : name,
        ),
      ),
    ),
  ),
  headerCase('slash-in-name', 'a slash in a base name', 'extract', ['payload-path'], (header) =>
    replaced(
      header,
      texts(
        TAG.baseNames,
        strings(header, TAG.baseNames).map((name) => (name.endsWith('.ko') ? '../../evil.ko' : name)),
      ),
    ),
  ),
  headerCase(
    'source',
    'a source package under the name of a binary one',
    'verify',
    ['package-file-refused', 'package-renamed'],
    (header) => header.filter((entry) => entry.tag !== TAG.sourceRpm),
  ),
  {
    id: 'header-without-payload-digest',
    why: 'the signed header has no digest of the payload, so the signature covers no module',
    stage: 'verify',
    expected: ['payload-unsigned'],
    // rpmsign would see that and sign the payload too, so this one is signed by hand.
    file: (good, workshop) =>
      sealRpm(splitRpm(good), {
        withoutPayloadDigest: true,
        sign: (header) => workshop.keyring.v3('release', header),
      }),
  },
];

function compressedCase(
  id: string,
  why: string,
  expected: readonly string[],
  payload: (bytes: Buffer) => Buffer,
): HostileCase {
  const file: HostileCase['file'] = (good, workshop) => resealed(splitRpm(good), workshop, { payload });
  return { id: `payload-${id}`, why, stage: 'extract', expected, file };
}

const COMPRESSED_CASES: readonly HostileCase[] = [
  compressedCase(
    'cut',
    'the compressed payload ends early, and everything says so',
    ['corrupt-stream', 'payload-malformed'],
    (bytes) => bytes.subarray(0, bytes.length - 300),
  ),
  compressedCase('tail', 'bytes behind the compressed payload', ['corrupt-stream', 'payload-malformed'], (bytes) =>
    Buffer.concat([bytes, evil]),
  ),
  compressedCase(
    'not-gzip',
    'the payload is plain text',
    ['corrupt-stream', 'compression-unsupported', 'payload-malformed', 'payload-digest'],
    () => Buffer.from('This is not an archive.\n'),
  ),
];

export const PAYLOAD_CASES: readonly HostileCase[] = [...CPIO_CASES, ...HEADER_CASES, ...COMPRESSED_CASES];
