// Key files in the shapes people write them.
import { describe, expect, test } from '@jest/globals';
import { armor, parseKeys } from '../../../src/formats/openpgp/index.ts';
import { certificate, forgeKey, packet } from '../../support/forge-pgp.ts';

const T0 = 1_700_000_000;
const one = certificate(forgeKey('eddsa', T0), 'One');
const two = certificate(forgeKey('rsa', T0), 'Two');
const block = (bytes: Buffer): string => armor(bytes, 'PUBLIC KEY BLOCK');
const owners = (file: Buffer | string): string[] => parseKeys(Buffer.from(file)).map(({ owner }) => owner);

describe('parseKeys', () => {
  test.each<[string, Buffer | string, string[]]>([
    ['binary', one, ['One']],
    ['binary, two keys', Buffer.concat([one, two]), ['One', 'Two']],
    [
      'binary, with a marker and padding',
      Buffer.concat([packet(10, Buffer.from('PGP')), one, packet(21, Buffer.alloc(9))]),
      ['One'],
    ],
    ['armored', block(one), ['One']],
    ['armored, two keys in one block', block(Buffer.concat([one, two])), ['One', 'Two']],
    ['two blocks', block(one) + block(two), ['One', 'Two']],
    ['two blocks with words around them', `The keys:\n${block(one)}and\n${block(two)}that is all`, ['One', 'Two']],
    ['one key twice', block(one) + block(one), ['One']],
    ['no final newline', block(one).trimEnd(), ['One']],
    ['Windows line ends', block(one).replaceAll('\n', '\r\n'), ['One']],
    ['spaces behind the lines', block(one).replaceAll('\n', '  \n'), ['One']],
    ['headers', block(one).replace('\n\n', '\nVersion: GnuPG v1\nComment: a: b\n\n'), ['One']],
    ['headers without an empty line', block(one).replace('\n\n', '\nVersion: GnuPG v1\n'), ['One']],
    ['no empty line', block(one).replace('\n\n', '\n'), ['One']],
    ['no checksum', block(one).replace(/^=....\n/m, ''), ['One']],
    ['a wrong checksum', block(one).replace(/^=....\n/m, '=AAAA\n'), ['One']],
    ['a signature block before it', `${armor(Buffer.of(1), 'SIGNATURE')}${block(one)}`, ['One']],
  ])('%s', (_, file, wanted) => expect(owners(file)).toEqual(wanted));

  test('a key is given back in binary form, to be read again', () => {
    const [key] = parseKeys(Buffer.from(block(two)));
    expect(key).toBeDefined();
    expect(parseKeys(key?.bytes as Buffer)).toEqual([key]);
  });

  test.each(['one block', 'the next block'])('statements of %s do not become those of another', (where) => {
    const [head, ...rest] = [one.subarray(0, 6 + one.readUInt32BE(2)), one.subarray(6 + one.readUInt32BE(2))];
    const loose = where === 'one block' ? block(rest[0] as Buffer) : block(head as Buffer) + block(rest[0] as Buffer);
    expect(() => owners(loose)).toThrow('starts with a packet of type 13');
  });
});
