// The advisory of a level, and the list of a repository with it: what dnf shows as updateinfo and kpatch-pm as CVEs.
import type { OwnPackage } from '../../decide/publish.ts';
import { formatNevra } from '../../domain/nevra.ts';
import { KpmError } from '../../errors.ts';
import { updateinfoXml, updateXml } from '../../formats/repodata/updateinfo.ts';

export interface AdvisoryWish {
  readonly pkg: OwnPackage;
  readonly cves: readonly string[];
  readonly text: string;
  readonly now: Date;
  /** `Name <mail>`. */
  readonly from: string;
}

/** The id of a level's advisory: one for each level, recognisable as nobody's but the publisher's. */
export const advisoryId = ({ nevra }: OwnPackage): string =>
  `OWN-${nevra.name.slice('kpatch-patch-'.length)}-${nevra.version}-${nevra.release}`;

/** The text of `<update>` for a level. */
export function advisoryXml({ pkg, cves, text, now, from }: AdvisoryWish): string {
  const issued = now.toISOString().slice(0, 19).replace('T', ' ');
  return updateXml({
    from,
    id: advisoryId(pkg),
    type: pkg.module === null ? 'newpackage' : cves.length > 0 ? 'security' : 'bugfix',
    severity: null,
    title: `${formatNevra(pkg.nevra)}`,
    description: text,
    rights: '',
    issued,
    updated: issued,
    references: cves.map((cve) => ({
      type: 'cve',
      id: cve,
      title: cve,
      href: `https://www.cve.org/CVERecord?id=${cve}`,
    })),
    packages: [{ ...pkg.nevra, rebootSuggested: false }],
  });
}

/**
 * A list of advisories with one more; what it had of the same id gives way, everything else stays as it was written.
 * `before` null: there is none yet. Raises `publish-failed` for a list that is not one.
 */
export function merged(before: string | null, id: string, advisory: string): string {
  const list = before === null || /<updates\s*\/>/.test(before) ? updateinfoXml([]) : before;
  const end = list.lastIndexOf('</updates>');
  if (end < 0) {
    throw new KpmError('publish-failed', {
      text: 'The updateinfo.xml of the repository is none: it has no </updates>.',
      hint: 'Look at its repodata; remove that file to begin anew.',
    });
  }
  const kept = list
    .slice(0, end)
    .replace(/[ \t]*<update\b[\s\S]*?<\/update>\n?/g, (update) => (update.includes(`<id>${id}</id>`) ? '' : update));
  return `${kept}${advisory}</updates>\n`;
}
