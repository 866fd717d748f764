// Writes package files byte by byte, right or wrong as a test wants them: what rpmbuild would never make.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { SIGTAG, TAG, TYPE } from '../../src/formats/rpm/tags.ts';

/** One header entry; `value` decides the type unless `type` does. */
export interface Tag {
  readonly tag: number;
  readonly value: string | string[] | number[] | Buffer;
  /** Element type; 32-bit for numbers, STRING, STRING_ARRAY and BIN for the others unless said. */
  readonly type?: number;
}

const WIDTH: Record<number, number> = { [TYPE.int8]: 1, [TYPE.int16]: 2, [TYPE.int32]: 4, [TYPE.int64]: 8 };

function encoded({ value, type }: Tag): { type: number; count: number; data: Buffer; align: number } {
  if (Buffer.isBuffer(value)) return { type: type ?? TYPE.bin, count: value.length, data: value, align: 1 };
  if (typeof value === 'string') {
    return { type: type ?? TYPE.string, count: 1, data: Buffer.from(`${value}\0`), align: 1 };
  }
  if (value.length > 0 && typeof value[0] === 'string') {
    const data = Buffer.concat((value as string[]).map((text) => Buffer.from(`${text}\0`)));
    return { type: type ?? TYPE.stringArray, count: value.length, data, align: 1 };
  }
  const kind = type ?? TYPE.int32;
  const width = WIDTH[kind] ?? 4;
  const data = Buffer.alloc(width * value.length);
  for (const [n, number] of (value as number[]).entries()) {
    if (width === 8) data.writeBigUInt64BE(BigInt(number), n * 8);
    else data.writeUIntBE(number, n * width, width);
  }
  return { type: kind, count: value.length, data, align: width };
}

/** A header structure. `region` is the region tag (62, 63) or null for the format without one. */
export function forgeHeader(tags: readonly Tag[], region: number | null): Buffer {
  const index: number[][] = [];
  let data = Buffer.alloc(0);
  for (const tag of [...tags].sort((a, b) => a.tag - b.tag)) {
    const one = encoded(tag);
    const gap = (one.align - (data.length % one.align)) % one.align;
    data = Buffer.concat([data, Buffer.alloc(gap)]);
    index.push([tag.tag, one.type, data.length, one.count]);
    data = Buffer.concat([data, one.data]);
  }
  if (region !== null) {
    index.unshift([region, TYPE.bin, data.length, 16]);
    data = Buffer.concat([data, words([region, TYPE.bin, -16 * index.length, 16])]);
  }
  return Buffer.concat([words([0x8eade801 | 0, 0, index.length, data.length]), words(index.flat()), data]);
}

function words(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [n, value] of values.entries()) bytes.writeInt32BE(value | 0, n * 4);
  return bytes;
}

export interface CpioFile {
  readonly name?: string;
  /** File number: writes the stripped form. */
  readonly index?: number;
  readonly mode?: number;
  readonly data?: Buffer;
  readonly ino?: number;
  readonly nlink?: number;
  /** Size that is written, when it should not be the data's. */
  readonly size?: number;
  readonly magic?: '070701' | '070702';
  readonly check?: number;
}

const pad = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
const hex8 = (n: number): string => n.toString(16).padStart(8, '0');

/** A cpio archive with its trailer (unless `trailer` is false). */
export function forgeCpio(files: readonly CpioFile[], trailer = true): Buffer {
  const all = trailer ? [...files, { name: 'TRAILER!!!', mode: 0, nlink: 1 }] : files;
  return Buffer.concat(
    all.map((file) => {
      const data = file.data ?? Buffer.alloc(0);
      if (file.index !== undefined) return Buffer.concat([pad(Buffer.from(`07070X${hex8(file.index)}`)), pad(data)]);
      const name = `${file.name}\0`;
      const fields = [
        file.ino ?? 1,
        file.mode ?? 0o100644,
        0,
        0,
        file.nlink ?? 1,
        0,
        file.size ?? data.length,
        0,
        0,
        0,
        0,
      ];
      const text = (file.magic ?? '070701') + [...fields, Buffer.byteLength(name), file.check ?? 0].map(hex8).join('');
      return Buffer.concat([pad(Buffer.concat([Buffer.from(text), Buffer.from(name)])), pad(data)]);
    }),
  );
}

export interface ForgedFile {
  readonly path: string;
  readonly data?: Buffer;
  readonly mode?: number;
  readonly linkTo?: string;
  readonly flags?: number;
  readonly inode?: number;
  /** Size and digest in the header, when they should not be the data's. */
  readonly size?: number;
  readonly digest?: string;
}

export const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

/** Header tags that list files, in format 4's form. */
export function fileTags(files: readonly ForgedFile[]): Tag[] {
  if (files.length === 0) return [];
  const dirs = [...new Set(files.map((f) => f.path.slice(0, f.path.lastIndexOf('/') + 1)))];
  const content = (f: ForgedFile): Buffer => f.data ?? Buffer.from(f.linkTo ?? '');
  const regular = (f: ForgedFile): boolean => ((f.mode ?? 0o100644) & 0o170000) === 0o100000;
  return [
    { tag: TAG.baseNames, value: files.map((f) => f.path.slice(f.path.lastIndexOf('/') + 1)) },
    { tag: TAG.dirNames, value: dirs },
    { tag: TAG.dirIndexes, value: files.map((f) => dirs.indexOf(f.path.slice(0, f.path.lastIndexOf('/') + 1))) },
    { tag: TAG.fileSizes, value: files.map((f) => f.size ?? content(f).length) },
    { tag: TAG.fileModes, value: files.map((f) => f.mode ?? 0o100644), type: TYPE.int16 },
    { tag: TAG.fileMtimes, value: files.map(() => 1700000000) },
    { tag: TAG.fileDigests, value: files.map((f) => f.digest ?? (regular(f) ? sha256(content(f)) : '')) },
    { tag: TAG.fileLinkTos, value: files.map((f) => f.linkTo ?? '') },
    { tag: TAG.fileFlags, value: files.map((f) => f.flags ?? 0) },
    { tag: TAG.fileDevices, value: files.map(() => 1) },
    { tag: TAG.fileInodes, value: files.map((f, n) => f.inode ?? n + 1) },
    { tag: TAG.fileDigestAlgo, value: [8] },
  ];
}

/** The archive that belongs to such a list. */
export function archiveOf(files: readonly ForgedFile[]): CpioFile[] {
  return files.map((f, n) => ({
    name: `.${f.path}`,
    mode: f.mode ?? 0o100644,
    data: f.data ?? Buffer.from(f.linkTo ?? ''),
    ino: f.inode ?? n + 1,
  }));
}

export interface Forgery {
  readonly files?: readonly ForgedFile[];
  /** The archive, when it should not be the one that belongs to `files`; a Buffer is taken as the open payload. */
  readonly archive?: readonly CpioFile[] | Buffer;
  /** Added to the main header, replacing tags of the same number. */
  readonly tags?: readonly Tag[];
  readonly compress?: (open: Buffer) => Buffer;
}

/** A whole package of format 4, gzip payload, right header and payload digests, unsigned. */
export function forgeRpm(forgery: Forgery = {}): Buffer {
  const files = forgery.files ?? [];
  const archive = forgery.archive ?? archiveOf(files);
  const open = Buffer.isBuffer(archive) ? archive : forgeCpio(archive);
  const payload = (forgery.compress ?? gzipSync)(open);
  const added = forgery.tags ?? [];
  const usual: Tag[] = [
    { tag: TAG.name, value: 'forged' },
    { tag: TAG.version, value: '1' },
    { tag: TAG.release, value: '1' },
    { tag: TAG.arch, value: 'x86_64' },
    { tag: TAG.sourceRpm, value: 'forged-1-1.src.rpm' },
    { tag: TAG.payloadCompressor, value: 'gzip' },
    { tag: TAG.payloadDigest, value: [sha256(payload)] },
    { tag: TAG.payloadDigestAlgo, value: [8] },
    ...fileTags(files),
  ];
  const tags = [...usual.filter((one) => !added.some((other) => other.tag === one.tag)), ...added];
  return assembleRpm(forgeHeader(tags, TAG.headerImmutable), payload);
}

/** Lead, a signature header with the digests that belong to `header` and `payload`, and these two. */
export function assembleRpm(header: Buffer, payload: Buffer, signatureTags?: readonly Tag[]): Buffer {
  const lead = Buffer.alloc(96);
  Buffer.from([0xed, 0xab, 0xee, 0xdb, 3, 0]).copy(lead);
  lead.writeUInt16BE(1, 8);
  lead.write('forged-1-1', 10, 'latin1');
  lead.writeUInt16BE(1, 76);
  lead.writeUInt16BE(5, 78);
  const md5 = createHash('md5').update(header).update(payload).digest();
  const signature = forgeHeader(
    signatureTags ?? [
      { tag: SIGTAG.sha256Header, value: sha256(header) },
      { tag: SIGTAG.size, value: [header.length + payload.length] },
      { tag: SIGTAG.md5, value: md5 },
    ],
    TAG.headerSignatures,
  );
  const gap = Buffer.alloc((8 - (signature.length % 8)) % 8);
  return Buffer.concat([lead, signature, gap, header, payload]);
}
