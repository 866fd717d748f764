// Changelogs as the rpm database keeps them: whole (repository metadata keeps ten entries), and covered by the signature of
// the package's header. Source: rpm(8), --queryformat; the tags RSAHEADER, DSAHEADER, SIGPGP, SIGGPG.
import type { Nevra } from '../../domain/nevra.ts';
import type { ChangelogEntry } from '../../formats/rpm/facts.ts';
import type { Root } from '../../host/root.ts';
import { findRpmdb, rpmArguments } from '../../host/rpmdb.ts';
import type { Run } from '../../host/run.ts';

export interface KeptChangelog {
  readonly package: Nevra;
  /** Id of the key by which rpm found the package signed (16 hexadecimal digits, capitals); null when it was not signed. */
  readonly keyid: string | null;
  readonly entries: readonly ChangelogEntry[];
}

const PACKAGE = '\x1d';
const END = '\x1c';
const ENTRY = '\x1e';
const FIELD = '\x1f';
/** Asks for the signatures of a header, in rpm's words. */
export const SIGNED = ['RSAHEADER', 'DSAHEADER', 'SIGPGP', 'SIGGPG']
  .map((tag) => `%|${tag}?{%{${tag}:pgpsig} }:{}|`)
  .join('');
const QUERY =
  `${PACKAGE}%{NAME}${FIELD}%|EPOCH?{%{EPOCH}}:{0}|${FIELD}%{VERSION}${FIELD}%{RELEASE}${FIELD}%{ARCH}${FIELD}${SIGNED}` +
  `[${ENTRY}%{CHANGELOGTIME}${FIELD}%{CHANGELOGNAME}${FIELD}%{CHANGELOGTEXT}]${END}`;

/**
 * The changelogs of installed packages, by exact name. Empty where the root has no rpm database or no rpm to read it:
 * fewer sources prove less, they never prove more.
 */
export async function rpmChangelogs(root: Root, run: Run, names: readonly string[]): Promise<KeptChangelog[]> {
  const place = findRpmdb(root);
  const wanted = [...new Set(names)].filter((name) => /^[A-Za-z0-9_][A-Za-z0-9._+-]*$/.test(name));
  if (place === null || wanted.length === 0 || run.which('rpm') === null) return [];
  const { stdout } = await run.run('rpm', [...rpmArguments(root, place), '-q', '--qf', QUERY, ...wanted], {
    maxOutput: 256 * 1024 * 1024,
  });
  return stdout
    .toString('utf8')
    .split(PACKAGE)
    .slice(1)
    .flatMap((block) => parse(block) ?? []);
}

/** The key id in what rpm says of signatures; null where it names none. */
export function keyidOf(signed: string): string | null {
  return /\bKey ID ([0-9a-f]{16})\b/i.exec(signed)?.[1]?.toUpperCase() ?? null;
}

/** One package's answer; what rpm says beside it ("package X is not installed") comes after the end mark. */
function parse(block: string): KeptChangelog | null {
  const end = block.indexOf(END);
  if (end < 0) return null;
  const [head = '', ...entries] = block.slice(0, end).split(ENTRY);
  const [name = '', epoch = '', version = '', release = '', arch = '', signed = ''] = head.split(FIELD);
  if (name === '' || version === '' || release === '') return null;
  return {
    package: { name, epoch: Number(epoch), version, release, arch },
    keyid: keyidOf(signed),
    entries: entries.map((entry) => {
      const [time = '', author = '', text = ''] = entry.split(FIELD);
      return { time: Number(time), author, text };
    }),
  };
}
