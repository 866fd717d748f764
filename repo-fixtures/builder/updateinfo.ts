// updateinfo.xml: advisories as a vendor publishes them.
import { fileName, type PackageSource, type UpdateSource } from './source.ts';

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

function packageLines(source: PackageSource): string[] {
  const { name, version, release, epoch = 0, arch } = source;
  return [
    `        <package name="${name}" version="${version}" release="${release}" epoch="${epoch}" arch="${arch}" src="${name}-${version}-${release}.src.rpm">`,
    `          <filename>${fileName(source)}</filename>`,
    '        </package>',
  ];
}

export function updateinfoText(updates: readonly UpdateSource[]): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<updates>'];
  for (const update of updates) {
    lines.push(
      `  <update from="security@fixtures.invalid" status="final" type="${update.type}" version="1">`,
      `    <id>${update.id}</id>`,
      `    <title>${escaped(update.title)}</title>`,
      `    <issued date="${update.issued}"/>`,
      ...(update.severity ? [`    <severity>${update.severity}</severity>`] : []),
      '    <references>',
      ...update.cves.map(
        (cve) => `      <reference href="https://fixtures.invalid/${cve}" id="${cve}" type="cve" title="${cve}"/>`,
      ),
      '    </references>',
      '    <pkglist>',
      '      <collection short="fixtures">',
      '        <name>kpatch-pm fixtures</name>',
      ...update.packages.flatMap(packageLines),
      '      </collection>',
      '    </pkglist>',
      '  </update>',
    );
  }
  return `${[...lines, '</updates>'].join('\n')}\n`;
}
