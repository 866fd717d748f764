// Reading a .case file: what the machine has, what is typed, what must be printed. See test/cases/README.md.

export interface Section {
  /** The word after @, in capitals. */
  readonly name: string;
  /** What follows it on the same line. */
  readonly title: string;
  /** The lines below it, joined; ends with a line break unless empty. */
  readonly text: string;
  readonly line: number;
}

const NAMES = [
  'KERNELS',
  'REPO',
  'ADVISORY',
  'INSTALLED',
  'FOREIGN',
  'LOADED',
  'CONFIG',
  'SERVED',
  'MODULE',
  'SCREEN',
  'NOW',
  'PUT',
  'ARGS',
  'TYPED',
  'EXPECT',
  'STDERR',
  'AFTER',
  'TREE',
];

/** The sections of a case, in order. Lines before the first are comment: why the case exists. Raises on unknown sections. */
export function parseCase(text: string): Section[] {
  const sections: { name: string; title: string; lines: string[]; line: number }[] = [];
  for (const [n, line] of text.replace(/\n$/, '').split('\n').entries()) {
    const head = /^@([A-Z]+)(?: (.*))?$/.exec(line);
    if (head) {
      const name = head[1] as string;
      if (!NAMES.includes(name)) throw new Error(`line ${n + 1}: no section @${name}`);
      sections.push({ name, title: (head[2] ?? '').trim(), lines: [], line: n + 1 });
    } else {
      sections.at(-1)?.lines.push(line);
    }
  }
  return sections.map(({ lines, ...section }) => {
    // One empty line before the next section only separates.
    const body = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
    return { ...section, text: body.map((line) => `${line}\n`).join('') };
  });
}

/** The lines of a section that say something, each split at spaces. */
export function words(section: Section): string[][] {
  return section.text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));
}

/** `key=value` words as a record; other words have the value ''. */
export function pairs(list: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    list.map((word) => {
      const at = word.indexOf('=');
      return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}
