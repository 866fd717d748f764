// repomd.xml: the files of the metadata, with their digests. Source: the files createrepo_c writes.
import { createHash } from 'node:crypto';
import { attributes, element } from './xml.ts';

export interface RepodataFile {
  /** Below the repository: `repodata/...`. */
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * The files below repodata/, repomd.xml first. They are not compressed, for compressors give other bytes from version to
 * version; dnf and kpatch-pm take them so. `revision`: seconds since 1970, of everything in it.
 */
export function repodata(lists: Readonly<Record<string, string>>, revision: number): RepodataFile[] {
  const files = Object.entries(lists).map(([type, text]) => {
    const bytes = Buffer.from(text, 'utf8');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { type, bytes, sha256, path: `repodata/${sha256}-${type}.xml` };
  });
  const data = files.flatMap(({ type, bytes, sha256, path }) => [
    `  <data${attributes({ type })}>`,
    `    <checksum type="sha256">${sha256}</checksum>`,
    `    <open-checksum type="sha256">${sha256}</open-checksum>`,
    `    <location${attributes({ href: path })}/>`,
    `    ${element('timestamp', String(revision))}`,
    `    ${element('size', String(bytes.length))}`,
    `    ${element('open-size', String(bytes.length))}`,
    '  </data>',
  ]);
  const text = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">',
    `  ${element('revision', String(revision))}`,
    ...data,
    '</repomd>',
    '',
  ].join('\n');
  return [
    { path: 'repodata/repomd.xml', bytes: Buffer.from(text) },
    ...files.map(({ path, bytes }) => ({ path, bytes })),
  ];
}
