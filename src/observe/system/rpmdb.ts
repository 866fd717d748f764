// The packages of a root, as its rpm database has them: through rpm where it is installed and can read the database,
// else through @snyk/rpm-parser. A database that cannot be read gives no list at all, never a part of one.
import type { Problem } from '../../domain/because.ts';
import type { Nevra } from '../../domain/nevra.ts';
import type { Comparison, Dependency } from '../../domain/package.ts';
import { KpmError } from '../../errors.ts';
import type { Root } from '../../host/root.ts';
import { findRpmdb, rpmArguments, rpmdbFiles } from '../../host/rpmdb.ts';
import type { Run } from '../../host/run.ts';
import { keyidOf, SIGNED } from './changelogs.ts';
import { parseRpmdb } from './rpmdbparser.ts';

export interface RpmdbPackage {
  readonly nevra: Nevra;
  /** Empty where the parser was used: it does not know them. */
  readonly provides: readonly Dependency[];
  /** Whether the package has any file; null where the parser was used. */
  readonly hasFiles: boolean | null;
  /** Id of the key its header is signed with, as the database keeps it (16 hexadecimal digits, capitals); null: none, or not known. */
  readonly keyid?: string | null;
}

export interface Rpmdb {
  readonly how: 'rpm' | 'parser' | 'none';
  /** Directory of the database below the root; null when there is none. */
  readonly path: string | null;
  readonly packages: readonly RpmdbPackage[];
  readonly notices: readonly Problem[];
}

/** Remembers rpm's answer; the key changes with the database files, so rpm is asked only when the database changed. */
export interface RpmdbMemo {
  get(key: string): string | null;
  put(key: string, answer: string): void;
}

const FIELD = '\t';
const UNIT = '\x1f';
const QUERY =
  `%{NAME}\t%|EPOCH?{%{EPOCH}}:{0}|\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%|BASENAMES?{files}:{}|\t` +
  `[%{PROVIDENAME} %{PROVIDEFLAGS:depflags} %{PROVIDEVERSION}${UNIT}]\t${SIGNED}\n`;

const COMPARISONS: Readonly<Record<string, Comparison>> = { '=': 'EQ', '<': 'LT', '<=': 'LE', '>': 'GT', '>=': 'GE' };

function dependency(text: string): Dependency {
  const parts = text.split(' ');
  const evr = parts.pop() ?? '';
  const flags = COMPARISONS[parts.pop() ?? ''] ?? null;
  return { name: parts.join(' '), flags, evr: flags === null ? null : evr };
}

/** Reads rpm's answer to our query; null when a line is not of its form. */
function parseAnswer(answer: string): RpmdbPackage[] | null {
  const packages: RpmdbPackage[] = [];
  for (const line of answer.split('\n')) {
    if (line === '') continue;
    const [name, epoch, version, release, arch, files, provides, signed = ''] = line.split(FIELD);
    if (!name || version === undefined || release === undefined || arch === undefined || provides === undefined) {
      return null;
    }
    packages.push({
      nevra: { name, epoch: Number(epoch), version, release, arch: arch === '(none)' ? '' : arch },
      provides: provides
        .split(UNIT)
        .filter((unit) => unit !== '')
        .map(dependency),
      hasFiles: files === 'files',
      keyid: keyidOf(signed),
    });
  }
  return packages;
}

/** What identifies the state of the database: rpm writes into the file, or into the log beside it first. */
export function rpmdbState(root: Root, place: string): string {
  const parts = rpmdbFiles(root, place).flatMap(({ file }) =>
    [file, `${file}-wal`].map((name) => {
      const stat = root.stat(name);
      return stat && stat.size > 0 ? `${name}:${stat.ino}:${stat.size}:${stat.mtimeMs}` : name;
    }),
  );
  return `3 ${parts.join(' ')}`;
}

/** rpm's answer, or why it cannot be believed. rpm ends with 0 even when it stopped at a damaged page. */
async function askRpm(root: Root, run: Run, place: string): Promise<{ answer: string } | { why: string }> {
  const { status, stdout, stderr } = await run.run('rpm', [...rpmArguments(root, place), '-qa', '--qf', QUERY], {
    maxOutput: 256 * 1024 * 1024,
  });
  const complaint = stderr.split('\n').find((line) => line.startsWith('error:') || line.includes('dummy database'));
  if (complaint !== undefined) return { why: complaint.replace(/^(error|warning): /, '') };
  if (status !== 0) return { why: `rpm ended with status ${status}` };
  return { answer: stdout.toString('utf8') };
}

function unreadable(root: Root, place: string, why: string): Rpmdb {
  const text =
    `The rpm database in ${root.show(place)} could not be read (${why}); kernels are taken from /lib/modules, ` +
    'and packages that only the database knows are not seen.';
  return { how: 'none', path: place, packages: [], notices: [{ code: 'rpmdb-unreadable', text }] };
}

/**
 * Reads the rpm database of a root. Never raises for a missing or damaged one: `how` is `none` then, and `notices` say
 * what that costs. With `memo`, rpm is started only when the database changed since its last answer; what is remembered
 * is given at once.
 */
export function readRpmdb(root: Root, run: Run, memo?: RpmdbMemo): Rpmdb | Promise<Rpmdb> {
  const place = findRpmdb(root);
  if (place === null) {
    const text = `${root.path} has no rpm database; kernels are taken from /lib/modules.`;
    return { how: 'none', path: null, packages: [], notices: [{ code: 'rpmdb-missing', text }] };
  }
  if (run.which('rpm') === null) return byParser(root, place, null);
  const key = rpmdbState(root, place);
  const known = memo?.get(key) ?? null;
  return (known === null ? null : understood(place, known)) ?? byRpm(root, run, place, key, memo);
}

/** What rpm's answer says; null where it has another form than was asked for, or nothing in it. */
function understood(place: string, answer: string): Rpmdb | null {
  const packages = parseAnswer(answer);
  // An rpm that does not know the format may answer from an empty database of its own.
  return packages === null || packages.length === 0 ? null : { how: 'rpm', path: place, packages, notices: [] };
}

async function byRpm(root: Root, run: Run, place: string, key: string, memo?: RpmdbMemo): Promise<Rpmdb> {
  const told = await safely(() => askRpm(root, run, place));
  if ('why' in told) return byParser(root, place, told.why);
  const rpmdb = understood(place, told.answer);
  if (rpmdb === null) {
    const odd = parseAnswer(told.answer) === null;
    return byParser(root, place, odd ? 'rpm gave an answer of another form than it was asked for' : null);
  }
  // Asked as root, rpm may have touched the files: the key of what was answered is the one before.
  if (rpmdbState(root, place) === key) memo?.put(key, told.answer);
  return rpmdb;
}

async function safely<T>(ask: () => Promise<T>): Promise<T | { why: string }> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof KpmError) return { why: error.message };
    throw error;
  }
}

async function byParser(root: Root, place: string, rpmSaid: string | null): Promise<Rpmdb> {
  const [found] = rpmdbFiles(root, place);
  if (!found) return unreadable(root, place, 'it vanished');
  const parsed = await parseRpmdb(root, found);
  if ('why' in parsed) return unreadable(root, place, rpmSaid ?? parsed.why);
  const packages = parsed.packages.map((nevra) => ({ nevra, provides: [], hasFiles: null }));
  const why = rpmSaid === null ? '' : ` rpm could not read it (${rpmSaid}).`;
  const notices = parsed.incomplete
    ? [
        {
          code: 'rpmdb-unreadable',
          text: `Recent changes of the rpm database in ${root.show(place)} (its -wal file) were not seen.${why}`,
        },
      ]
    : [];
  return { how: 'parser', path: place, packages, notices };
}
