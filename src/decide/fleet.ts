// Many machines' answers as one table: objects of `status --json` and `cves --json`, which came from other machines and may
// hold anything. What is not of their form is a problem of its file, never a row.
import { compareEvr, type Evr } from '../domain/evr.ts';
import { parseNevra } from '../domain/nevra.ts';
import { levelOfModule } from './schemes/rhel.ts';
import type { Verdict } from './verdict.ts';

export interface FleetFile {
  /** As it was named. */
  readonly name: string;
  /** What it held; null when it was no JSON. */
  readonly value: unknown;
}

export interface FleetRow {
  /** Id of the machine; the file's name where it has none. */
  readonly machine: string;
  /** What people call it: from the file's name where its id is a machine-id(5), which nobody knows by heart. */
  readonly name: string;
  readonly file: string;
  /** When the machine was asked, ISO time. */
  readonly time: string;
  readonly release: string;
  readonly running: boolean;
  readonly verdict: Verdict;
  readonly text: string;
  readonly loaded: Evr | null;
  readonly installed: Evr | null;
  readonly available: Evr | null;
  /** CVEs with a fix that this kernel does not run; null when the machine's CVEs were not among the files. */
  readonly openCves: readonly string[] | null;
}

export interface Fleet {
  readonly rows: readonly FleetRow[];
  readonly problems: readonly { readonly file: string; readonly text: string }[];
  readonly machines: number;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);

/** How bad each verdict is: the table's order, worst first. */
const VERDICTS: readonly Verdict[] = [
  'quarantined',
  'installed-not-loaded',
  'not-installed',
  'transition-stalled',
  'patched-until-reboot',
  'update-available',
  'protected-stale',
  'unknown',
  'no-patch-stream',
  'subscribed-no-fix',
  'ready-at-boot',
  'protected',
];

/** Merges what the files say. The newest answer of a machine counts; the worst running kernels come first. */
export function mergeFleet(files: readonly FleetFile[]): Fleet {
  const problems: { file: string; text: string }[] = [];
  const newest = new Map<string, { file: FleetFile; value: Fields; time: string }>();
  const cves = new Map<string, { open: Map<string, string[]>; time: string }>();
  for (const file of files) {
    const { value } = file;
    if (!isFields(value)) problems.push({ file: file.name, text: 'it holds no JSON object' });
    else if (isCves(value)) {
      const id = textOf(value.machine) ?? file.name;
      const time = textOf(value.time) as string;
      const before = cves.get(id);
      if (!before || before.time < time) cves.set(id, { open: openByKernel(value), time });
    } else if (isStatus(value)) {
      const id = textOf(value.machine) ?? file.name;
      const time = textOf(value.time) as string;
      const before = newest.get(id);
      if (!before || before.time < time) newest.set(id, { file, value, time });
    } else problems.push({ file: file.name, text: whyNot(value) });
  }
  const names = namesOf([...newest].map(([machine, { file }]) => ({ machine, file: file.name })));
  const rows = [...newest].flatMap(([machine, { file, value, time }]) => {
    const from = { machine, name: names.get(machine) ?? machine, file: file.name, time };
    return listOf(value.kernels).flatMap((kernel) => rowOf(from, kernel, cves.get(machine)?.open) ?? []);
  });
  return { rows: rows.sort(worstFirst), problems, machines: newest.size };
}

const isStatus = (value: Fields): boolean =>
  value.format === 1 && isFields(value.settings) && textOf(value.time) !== null && Array.isArray(value.kernels);

const isCves = (value: Fields): boolean =>
  value.format === 1 &&
  !isFields(value.settings) &&
  textOf(value.time) !== null &&
  listOf(value.kernels).some((kernel) => Array.isArray(kernel.cves));

function whyNot(value: Fields): string {
  if (isFields(value.error))
    return `the machine could not answer: ${textOf(value.error.text) ?? 'it does not say why'}`;
  if (typeof value.format === 'number' && value.format !== 1)
    return `its format is ${value.format}, this version knows 1`;
  return 'it is neither what `status --json` nor what `cves --json` prints';
}

const OPEN = ['on-disk', 'available', 'reboot', 'out-of-reach', 'unproven'];

function openByKernel(value: Fields): Map<string, string[]> {
  return new Map(
    listOf(value.kernels).map((kernel): [string, string[]] => [
      textOf(kernel.release) ?? '',
      listOf(kernel.cves).flatMap(({ cve, state }) => {
        const id = textOf(cve);
        return id !== null && OPEN.includes(textOf(state) ?? '') ? [id] : [];
      }),
    ]),
  );
}

/** `status-web1.json`, `hosts/web1.status.json`, `web1.json`: web1. */
const stemOf = (file: string): string =>
  (file.split('/').at(-1) ?? '')
    .replace(/\.json$/, '')
    .replace(/^(?:status|cves)(?:[-._]|$)/, '')
    .replace(/[-._](?:status|cves)$/, '');

/** A name for each machine. Files of one name in several directories (`web1/status.json`) are called by the whole path. */
function namesOf(machines: readonly { machine: string; file: string }[]): Map<string, string> {
  const stems = machines.map(({ file }) => stemOf(file));
  return new Map(
    machines.map(({ machine, file }, n) => {
      const stem = stems[n] as string;
      if (!/^[0-9a-f]{32}$/.test(machine)) return [machine, machine];
      return [machine, stem !== '' && stems.filter((one) => one === stem).length === 1 ? stem : file];
    }),
  );
}

function rowOf(
  from: Pick<FleetRow, 'machine' | 'name' | 'file' | 'time'>,
  kernel: Fields,
  cves: ReadonlyMap<string, string[]> | undefined,
): FleetRow | null {
  const release = textOf(kernel.release);
  const verdict = VERDICTS.find((one) => one === kernel.verdict);
  if (release === null || verdict === undefined) return null;
  const nevras = [kernel.available, ...listOf(kernel.installed).map(({ nevra }) => nevra)];
  const streams = nevras.flatMap((nevra) => parseNevra(textOf(nevra) ?? '')?.name ?? []);
  const loaded = listOf(kernel.loaded).flatMap((patch) =>
    patch.enabled === true ? streams.flatMap((name) => levelOfModule(textOf(patch.module) ?? '', name) ?? []) : [],
  );
  return {
    ...from,
    release,
    running: kernel.running === true,
    verdict,
    text: isFields(kernel.because) ? (textOf(kernel.because.text) ?? '') : '',
    loaded: highest(loaded),
    installed: highest(listOf(kernel.installed).flatMap(({ nevra }) => parseNevra(textOf(nevra) ?? '') ?? [])),
    available: parseNevra(textOf(kernel.available) ?? ''),
    openCves: cves?.get(release) ?? null,
  };
}

const highest = (levels: readonly Evr[]): Evr | null => [...levels].sort((a, b) => compareEvr(b, a))[0] ?? null;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function worstFirst(a: FleetRow, b: FleetRow): number {
  return (
    Number(b.running) - Number(a.running) ||
    VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) ||
    compare(a.name, b.name) ||
    compare(a.machine, b.machine) ||
    compare(a.release, b.release)
  );
}
