// ASCII armor: text blocks to bytes and back. Source: RFC 9580 section 6 (the CRC is not to be checked: 6.1).
import { malformed } from './octets.ts';

const BEGIN = /^-----BEGIN PGP ([A-Z ]{1,40})-----[ \t]*$/;
const END = /^-----END PGP ([A-Z ]{1,40})-----/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Whether the bytes hold an armored block rather than packets. */
export function isArmored(bytes: Buffer): boolean {
  // A packet's first byte has its highest bit set; text has not.
  return bytes.length > 0 && ((bytes[0] as number) & 0x80) === 0;
}

/**
 * The contents of every armored block of this kind (`PUBLIC KEY BLOCK`, `SIGNATURE`), in order. Text around blocks is
 * ignored, as vendors write it. Raises `openpgp-malformed` on a block that does not end, or is no base64.
 */
export function dearmor(bytes: Buffer, kind: string): Buffer[] {
  const blocks: Buffer[] = [];
  // Line by line, each looked at once: a file may hold any number of lines that only begin blocks.
  let open: { readonly kind: string; readonly lines: string[] } | null = null;
  for (const line of bytes.toString('latin1').split(/\r?\n/)) {
    const begins = BEGIN.exec(line)?.[1];
    if (begins !== undefined) {
      if (open?.kind === kind) throw malformed('an armored block without its END line');
      open = { kind: begins, lines: [] };
    } else if (open !== null && END.exec(line)?.[1] === open.kind) {
      if (open.kind === kind) blocks.push(body(open.lines));
      open = null;
    } else if (open?.kind === kind) {
      open.lines.push(line.trim());
    }
  }
  if (open?.kind === kind) throw malformed('an armored block without its END line');
  return blocks;
}

function body(all: readonly string[]): Buffer {
  // Headers ("Version: ...") come first; base64 has no colon.
  const start = all.findIndex((line) => line !== '' && !line.includes(':'));
  const data = start < 0 ? [] : all.slice(start).filter((line) => line !== '');
  const last = data.at(-1);
  if (last !== undefined && /^=[A-Za-z0-9+/]{4}$/.test(last)) data.pop();
  const base64 = data.join('');
  if (!BASE64.test(base64)) throw malformed('an armored block that is no base64');
  return Buffer.from(base64, 'base64');
}

/** One armored block, lines of 64 characters, with the checksum that older rpm insists on. */
export function armor(bytes: Buffer, kind: string): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  const sum = Buffer.alloc(3);
  sum.writeUIntBE(crc24(bytes), 0, 3);
  return [
    `-----BEGIN PGP ${kind}-----`,
    '',
    ...lines,
    `=${sum.toString('base64')}`,
    `-----END PGP ${kind}-----`,
    '',
  ].join('\n');
}

/** Source: RFC 9580 section 6.1. */
function crc24(bytes: Buffer): number {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if (crc & 0x1000000) crc ^= 0x1864cfb;
    }
  }
  return crc & 0xffffff;
}
