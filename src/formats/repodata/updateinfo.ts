// updateinfo.xml: advisories as dnf and kpatch-pm read them. Source: the files vendors publish; libdnf's reading of them.
import type { Advisory, AdvisoryPackage } from '../../domain/advisory.ts';
import { attributes, element } from './xml.ts';

/** What an advisory needs to be written. */
export type WrittenAdvisory = Pick<
  Advisory,
  'id' | 'type' | 'severity' | 'title' | 'description' | 'rights' | 'issued' | 'updated' | 'references' | 'packages'
> & { /** Who publishes it. */ readonly from?: string };

/** The text of one `<update>`, without a line break at its start. */
export function updateXml(advisory: WrittenAdvisory): string {
  const { id, type, severity, title, description, rights, issued, updated, references, packages } = advisory;
  const kind = type === 'unknown' ? null : type;
  const lines = [
    `  <update${attributes({ from: advisory.from ?? null, status: 'final', type: kind, version: '1' })}>`,
    `    ${element('id', id)}`,
    `    ${element('title', title)}`,
    ...(issued === null ? [] : [`    <issued${attributes({ date: issued })}/>`]),
    ...(updated === null ? [] : [`    <updated${attributes({ date: updated })}/>`]),
    ...(severity === null ? [] : [`    ${element('severity', severity)}`]),
    ...(rights === '' ? [] : [`    ${element('rights', rights)}`]),
    `    ${element('description', description)}`,
    '    <references>',
    ...references.map(
      ({ href, id: name, type: of, title: called }) =>
        `      <reference${attributes({ href, id: name, type: of, title: called })}/>`,
    ),
    '    </references>',
    '    <pkglist>',
    '      <collection>',
    ...packages.flatMap(packageLines),
    '      </collection>',
    '    </pkglist>',
    '  </update>',
  ];
  return `${lines.join('\n')}\n`;
}

function packageLines({ name, version, release, epoch, arch, rebootSuggested }: AdvisoryPackage): string[] {
  return [
    `        <package${attributes({ name, version, release, epoch, arch })}>`,
    `          ${element('filename', `${name}-${version}-${release}.${arch}.rpm`)}`,
    ...(rebootSuggested ? ['          <reboot_suggested>True</reboot_suggested>'] : []),
    '        </package>',
  ];
}

/** A whole updateinfo.xml. */
export function updateinfoXml(advisories: readonly WrittenAdvisory[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n${advisories.map(updateXml).join('')}</updates>\n`;
}
