// What somebody wrote down about the end of live-patch streams: etc/kpatch-pm/streams.conf of the root.
//
//   [5.14.0-427.*.el9_4.x86_64]
//   ends = 2026-05-31
//   note = extended support, contract 4711
//
// The name of a section is a pattern of kernel releases (fnmatch(3)); the first that fits counts.
import type { StreamPolicy } from '../decide/advise.ts';
import { glob } from '../domain/pattern.ts';
import { parseIni } from '../formats/ini/document.ts';
import type { Ui } from '../host/machine.ts';
import type { Root } from '../host/root.ts';

export const STREAMS = 'etc/kpatch-pm/streams.conf';

/** The policies, in order; what cannot be read is told and left out. Empty where there is no file. */
export function streamPolicies(root: Root, ui: Pick<Ui, 'warn'>): StreamPolicy[] {
  const text = root.readText(STREAMS, 1024 * 1024);
  if (text === null) return [];
  const { sections, faults } = parseIni(text);
  for (const { line, text: why } of faults) ui.warn(`${root.show(STREAMS)} line ${line}: ${why}.`);
  return sections.flatMap(({ name, line, entries }) => {
    const value = (key: string): string => entries.find((entry) => entry.key === key)?.value.trim() ?? '';
    const ends = value('ends');
    if (/^\d{4}-\d\d-\d\d$/.test(ends) && !Number.isNaN(Date.parse(ends))) {
      return [{ fits: glob(name.trim()), ends, note: value('note') }];
    }
    const why = ends === '' ? 'has no `ends`' : `has an \`ends\` that is no date (YYYY-MM-DD): ${ends}`;
    ui.warn(`${root.show(STREAMS)} line ${line}: the section [${name}] ${why}; it is left out.`);
    return [];
  });
}
