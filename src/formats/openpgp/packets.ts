// The framing of OpenPGP packets. Source: RFC 9580 section 4.2 (both header forms).
import { malformed, Octets } from './octets.ts';

export const TAG = {
  signature: 2,
  publicKey: 6,
  marker: 10,
  trust: 12,
  userId: 13,
  publicSubkey: 14,
  userAttribute: 17,
  padding: 21,
} as const;

/** More packets than any real key file or signature list holds. */
const MAX_PACKETS = 5000;

export interface Packet {
  readonly tag: number;
  readonly body: Buffer;
}

/** Cuts bytes into packets. Raises `openpgp-malformed`; partial and open-ended lengths do not occur in keys and signatures. */
export function readPackets(bytes: Buffer): Packet[] {
  const input = new Octets(bytes, 'packet list');
  const packets: Packet[] = [];
  while (input.left > 0) {
    if (packets.length === MAX_PACKETS) throw malformed(`more than ${MAX_PACKETS} packets`);
    const first = input.u8();
    if ((first & 0x80) === 0) throw malformed(`byte ${input.at - 1} starts no packet`);
    const modern = (first & 0x40) !== 0;
    const tag = modern ? first & 0x3f : (first >> 2) & 0x0f;
    const length = modern ? newLength(input) : oldLength(input, first & 3);
    if (tag === 0) throw malformed('a packet of the reserved type 0');
    packets.push({ tag, body: input.take(length) });
  }
  return packets;
}

function oldLength(input: Octets, kind: number): number {
  if (kind === 0) return input.u8();
  if (kind === 1) return input.u16();
  if (kind === 2) return input.u32();
  throw malformed('a packet without a length');
}

/** The length of new-form packets and of subpackets (there, 224 to 254 start a two-byte length as well). */
export function newLength(input: Octets, subpacket = false): number {
  const first = input.u8();
  if (first < 192) return first;
  if (first === 255) return input.u32();
  if (first < 224 || subpacket) return ((first - 192) << 8) + input.u8() + 192;
  throw malformed('a packet in parts');
}

/** Writes one packet in the new form with a four-byte length. */
export function writePacket(packet: Packet): Buffer {
  const head = Buffer.alloc(6);
  head[0] = 0xc0 | packet.tag;
  head[1] = 0xff;
  head.writeUInt32BE(packet.body.length, 2);
  return Buffer.concat([head, packet.body]);
}
