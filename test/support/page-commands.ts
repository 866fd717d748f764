// The commands of a documentation page, in its order: the lines that are indented by four blanks.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { top } from './top.ts';

export interface PageLine {
  /** Heading it stands under, without its marks. */
  readonly section: string;
  readonly line: string;
}

export function pageLines(page: string): PageLine[] {
  let section = '';
  return readFileSync(path.join(top, 'docs', page), 'utf8')
    .split('\n')
    .flatMap((line) => {
      if (line.startsWith('#')) section = line.replace(/^#+ */, '');
      return line.startsWith('    ') ? [{ section, line: line.trim() }] : [];
    });
}

/** Words as a shell would take them: single quotes keep blanks together. */
export const shellWords = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? (plain as string));
