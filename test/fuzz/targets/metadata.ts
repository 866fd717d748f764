// Readers of repository metadata.

import { isDeepStrictEqual } from 'node:util';
import { parseMetalink, parseMirrorlist } from '../../../src/observe/repo/mirrors.ts';
import { readPlain } from '../../../src/observe/repo/plain.ts';
import { readPrimary } from '../../../src/observe/repo/primary.ts';
import { parseRepomd, primaryRecord } from '../../../src/observe/repo/repomd.ts';
import { INTEREST, scanPackages, trustworthy } from '../../../src/observe/repo/scan.ts';
import { strictPackages } from '../../../src/observe/repo/strict.ts';
import { readUpdateinfo } from '../../../src/observe/repo/updateinfo.ts';
import { LISTS, type XmlReader } from '../../../src/observe/repo/xml.ts';
import { mutate } from '../mutate.ts';
import type { Samples } from '../samples.ts';
import { insist, isRefusal, type Target } from '../target.ts';

const XML = [
  '<',
  '>',
  '/>',
  '</',
  '&amp;',
  '&#27;',
  '&#x202e;',
  '&e;',
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '<!DOCTYPE a [<!ENTITY e "e">]>',
  '<?xml version="1.0"?>',
  ' xmlns:a="b"',
  '"',
  "'",
  '=',
  '\0',
  '\u001b[2J',
];
const REPOMD = [
  ...XML,
  '<data type="primary">',
  '</data>',
  '<checksum type="sha256">',
  '<location href="../../x"/>',
  '<size>1</size>',
  '<open-size>',
];
const PRIMARY = [
  ...XML,
  '<package type="rpm">',
  '</package>',
  '<name>kpatch-patch-1</name>',
  '<name>',
  '<version epoch="0" ver="1" rel="1"/>',
  '<location href="x.rpm"/>',
  '<rpm:entry name="kpatch-patch" flags="EQ" epoch="0" ver="1" rel="2"/>',
  '<format>',
  '</metadata>',
  'packages="3"',
  '<rpm:provides>',
  '<entry name="kernel-uname-r"',
];

/** The first entry of a list: the quick reader of plain XML gets one at a time. */
function entryOf(primary: Buffer): Buffer {
  const end = primary.indexOf('</package>');
  return end < 0 ? primary : primary.subarray(primary.indexOf('<package '), end + '</package>'.length);
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  // As they come from the network: not where the elements end.
  for (let at = 0; at < bytes.length; at += 4000) yield bytes.subarray(at, at + 4000);
}

/** The strict parser's word on a whole document: the names it lists, or null where it refuses it. */
async function strictly(bytes: Buffer): Promise<number | null> {
  let count = 0;
  try {
    await strictPackages(pieces(bytes), 'primary', () => {
      count++;
    });
    return count;
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}

const UPDATES = [
  ...XML,
  '<update type="security">',
  '</update>',
  '<updates>',
  '</updates>',
  '<reference type="cve" id="CVE-2024-1"/>',
  '<package name="kpatch-patch-1" version="1" release="1" arch="x86_64">',
  '<issued date="2024-01-01"/>',
  '<pkglist><collection>',
  '<id>',
];

export function metadataTargets(from: Samples, xml: XmlReader): Target[] {
  const updates = from.updateinfos.filter(({ length }) => length < 16 * 1024);
  return [
    {
      name: 'repomd',
      weight: 10,
      make: (random) => mutate(random.pick(from.repomds), from.repomds, random, REPOMD),
      run: async (bytes) => void primaryRecord(await parseRepomd(bytes, 'repomd.xml'), 'repomd.xml'),
    },
    {
      name: 'primary',
      weight: 10,
      make: (random) => mutate(random.pick(from.primaries), from.primaries, random, PRIMARY),
      async run(bytes) {
        const contents = await readPrimary(async () => ({ stream: pieces(bytes), check: () => undefined }), 'primary');
        for (const { name, href } of contents.packages)
          insist(name !== '' && href !== null, 'a package without name or place');
      },
    },
    {
      name: 'primary-scan',
      weight: 4,
      make: (random) => mutate(random.pick(from.primaries), from.primaries, random, PRIMARY),
      async run(bytes) {
        const scan = await scanPackages(pieces(bytes), INTEREST, () => undefined);
        if (!trustworthy(scan)) return;
        // Where the quick scan trusts itself, a strict parser finds as many packages, or refuses the document.
        const strict = await strictly(bytes);
        insist(
          strict === null || strict === scan.starts,
          `the scan sees ${scan.starts} packages, the parser ${strict}`,
        );
      },
    },
    {
      name: 'plain-xml',
      weight: 4,
      make: (random) => mutate(entryOf(random.pick(from.primaries)), from.primaries, random, PRIMARY),
      run(bytes) {
        const text = bytes.toString('utf8');
        const quick = readPlain(text, LISTS);
        if (quick === null) return void xml.strictly(text, 'it', 'primary-malformed');
        // What the quick reader takes, the real one takes, and for the same.
        let real: unknown = null;
        try {
          real = xml.strictly(text, 'it', 'primary-malformed');
        } catch (error) {
          if (!isRefusal(error)) throw error;
        }
        insist(
          isDeepStrictEqual(structuredClone(quick), structuredClone(real)),
          'the quick reader and the real one differ',
        );
      },
    },
    {
      name: 'updateinfo',
      weight: 6,
      make: (random) => mutate(random.pick(updates), updates, random, UPDATES),
      async run(bytes) {
        const open = async () => ({ stream: pieces(bytes), check: () => undefined });
        await readUpdateinfo(open, 'updateinfo', xml);
      },
    },
    {
      name: 'metalink',
      weight: 6,
      make: (random) =>
        mutate(random.pick(from.metalinks), from.metalinks, random, [
          ...XML,
          '<hash type="sha256">',
          '<url preference="1">',
          'repodata/repomd.xml',
          '<file name="repomd.xml">',
          '<size>',
        ]),
      run: (bytes) => void parseMetalink(bytes.toString('utf8'), 'metalink', xml, { basearch: 'x86_64' }),
    },
    {
      name: 'mirrorlist',
      weight: 2,
      make: (random) =>
        mutate(
          Buffer.from('# list\nhttps://one.invalid/$basearch/\n\nhttp://two.invalid/x\nfile:///srv/repo\n'),
          [],
          random,
          ['$basearch', `\${releasever}`, 'http://', '\r\n', '@', '%00', '..'],
        ),
      run: (bytes) => void parseMirrorlist(bytes.toString('utf8'), { basearch: 'x86_64' }),
    },
  ];
}
