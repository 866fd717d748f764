// The few DER forms a DSA key needs (node takes no DSA key as JWK). Source: ITU-T X.690, RFC 3279 section 2.3.2.
import { trimZeros } from './octets.ts';

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(length);
  const bare = trimZeros(size);
  return Buffer.concat([Buffer.from([tag, 0x80 | bare.length]), bare, content]);
}

export function sequence(...parts: Buffer[]): Buffer {
  return element(0x30, Buffer.concat(parts));
}

/** A number that is not negative. */
export function integer(number: Buffer): Buffer {
  const bare = trimZeros(number);
  const positive = bare.length === 0 || (bare[0] as number) >= 0x80;
  return element(0x02, positive ? Buffer.concat([Buffer.of(0), bare]) : bare);
}

/** `encoded`: the identifier's content in hexadecimal. */
export function objectId(encoded: string): Buffer {
  return element(0x06, Buffer.from(encoded, 'hex'));
}

export function bitString(content: Buffer): Buffer {
  return element(0x03, Buffer.concat([Buffer.of(0), content]));
}
