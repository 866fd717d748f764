// The quick reader of plain XML gives what the real parser gives, or leaves the text to it.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readPlain } from '../../src/observe/repo/plain.ts';
import { LISTS, xmlReader } from '../../src/observe/repo/xml.ts';

const xml = await xmlReader();
const agree = (text: string): boolean => {
  const quick = readPlain(text, LISTS);
  // Raises where the real parser refuses what the quick one took.
  if (quick !== null) expect(quick).toEqual(xml.strictly(text, 'it', 'primary-malformed'));
  return quick !== null;
};

const ENTRY = `<package type="rpm">
  <name>kpatch-patch-1</name>
  <packager>Vendor &lt;https://bugs.example.com/?a&amp;b&gt;</packager>
  <version epoch="0" ver='1' rel="1.el9"/>
  <checksum type="sha256" pkgid="YES">00ff</checksum><summary/>
  <location href="a.rpm" xml-base="b" ></location>
  <format><rpm:provides><rpm:entry name="a &quot;&apos;&gt; &amp;lt;"/><rpm:entry name="b" flags="EQ" ver="1"/></rpm:provides>
    <file type="dir">/a</file><file>/b c</file></format>
</package>
`;

test('an entry as vendors write it is plain', () => {
  expect(agree(ENTRY)).toBe(true);
});

test.each([
  '<?xml version="1.0" encoding="UTF-8"?>\n<repomd xmlns="http://a" xmlns:rpm="http://b">\n  <revision>1</revision>\n</repomd>\n',
  '<?xml version="1.0"?><a/>',
  '<a xmlns="b"/>',
  '<a xmlns="b">text</a>',
])('so is %j', (text) => {
  expect(agree(text)).toBe(true);
});

test.each([
  ['an entity by number', '<a>&#60;</a>'],
  ['an entity of HTML', '<a b="&nbsp;"/>'],
  ['an ampersand alone', '<a>b & c</a>'],
  ['a comment', '<a><!-- <b/> --></a>'],
  ['CDATA', '<a><![CDATA[<b/>]]></a>'],
  ['a processing instruction', '<?a b?><a/>'],
  ['a declaration of another kind', '<?xml version="1.1"?><a/>'],
  ['a declaration that is not first', ' <?xml version="1.0"?><a/>'],
  ['a declaration alone', '<?xml version="1.0"?>'],
  ['a document type', '<!DOCTYPE a><a/>'],
  ['another prefix', '<x:a/>'],
  ['a prefix on an attribute', '<a xml:base="b"/>'],
  ['a namespace twice', '<a xmlns="b" xmlns="b"/>'],
  ['a namespace of another prefix', '<a xmlns:x="b"/>'],
  ['text beside elements', '<a>b<c/></a>'],
  ['two roots', '<a/><a/>'],
  ['text after the root', '<a/>b'],
  ['an attribute twice', '<a b="1" b="1"/>'],
  ['attributes without a blank between', '<a b="1"c="2"/>'],
  ['an attribute without a value', '<a b/>'],
  ['an end without a start', '</a>'],
  ['a start without an end', '<a><b></a>'],
  ['an end with another prefix', '<rpm:a></a>'],
  ['an end with an attribute', '<a></a b="1">'],
  ['a name every object knows', '<constructor/>'],
  ['an attribute of such a name', '<a toString="1"/>'],
  ['nothing', ''],
  ['blanks', '  \n'],
  ['a return', '<a>\r\n</a>'],
  ['too deep a nest', '<a>'.repeat(60) + '</a>'.repeat(60)],
])('%s is left to the real parser', (_, text) => {
  expect(readPlain(text, LISTS)).toBeNull();
});

const PIECES = [
  ...['<', '>', '/', '</', '/>', '="', '"', "'", '=', ' ', '\n', '\t', ':', 'rpm:', 'a', 'b', 'file', 'entry', 'xmlns'],
  ...[
    '<a>',
    '</a>',
    '<a/>',
    '<b c="d">',
    '</b>',
    '<rpm:entry name="x"/>',
    '<file>',
    '</file>',
    ' c="1"',
    ' xmlns="u"',
    ' xmlns:rpm="v"',
    '<?xml version="1.0" encoding="UTF-8"?>',
    'text',
    '\u00a0',
  ],
  ...[
    '&amp;',
    '&lt;',
    '&gt;',
    '&quot;',
    '&apos;',
    '&',
    'lt;',
    '&#65;',
    '&nbsp;',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?',
    '?>',
    '__proto__',
    'constructor',
    '\0',
    'é',
    '.',
    '-',
  ],
];

test('on anything put together of pieces of XML', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }), (pieces) => {
      agree(pieces.join(''));
      agree(`<package>${pieces.join('')}</package>`);
    }),
    { numRuns: 4000 },
  );
});

test('on an entry with pieces put in or cut out anywhere', () => {
  let plain = 0;
  fc.assert(
    fc.property(
      fc.nat(ENTRY.length),
      fc.nat(6),
      fc.array(fc.constantFrom(...PIECES), { maxLength: 3 }),
      (at, cut, pieces) => {
        if (agree(ENTRY.slice(0, at) + pieces.join('') + ENTRY.slice(at + cut))) plain++;
      },
    ),
    { numRuns: 4000 },
  );
  // Else nothing was compared.
  expect(plain).toBeGreaterThan(200);
});
