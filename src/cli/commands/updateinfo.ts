// updateinfo list|info|summary: advisories about kernels and live patches, as dnf prints them.
import { type Fix, picks } from '../../decide/meaning.ts';
import { isFix } from '../../decide/spec.ts';
import { type AdvisoryLine, advisoryLines, type Which } from '../../decide/updateinfo.ts';
import { compile, glob } from '../../domain/pattern.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { gather } from '../../usecases/evidence/gather.ts';
import { type Context, fixesOf, tellNotices } from '../context.ts';
import type { Options } from '../options.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';
import { renderInfo, renderList, renderSummary, updateinfoJson } from '../render/updateinfo.ts';

const SHOWS = ['list', 'info', 'summary'] as const;

export async function run({ machine, request, words, ui, output, options }: Context): Promise<number> {
  const asked = questionOf(words, options);
  const { show, which } = asked;
  const { world, packages } = await gather(machine, request, ui);
  tellNotices(ui, world);
  for (const { problem } of world.advisoryStates) if (problem) ui.warn(problem.text);
  const ours = world.installed.flatMap((patch) => (patch.package ? [patch.package] : []));
  const kinds = asked.kinds.length === 0 ? null : asked.kinds;
  const specs = asked.specs.map(specOf);
  const found = advisoryLines(world.advisories, [...packages, ...ours], { which, specs });
  const lines = kinds === null ? found : found.filter(({ advisory }) => kinds.some((one) => picks(one, advisory)));
  if (options.flag('json')) output.out(jsonText(updateinfoJson(which, lines)));
  else if (show === 'summary') output.out(renderSummary(lines, which));
  else if (show === 'info') output.out(renderInfo(lines, which, options.flag('verbose')));
  else output.out(renderList(lines, which, options.flag('with-cve') || asked.cves));
  // dnf says nothing here; who asked for something by name shall not wonder whether it was found.
  if (lines.length === 0 && asked.specs.length > 0) {
    const other = advisoryLines(world.advisories, [...packages, ...ours], { which: 'all', specs }).length > 0;
    const more = other ? ' What it announces is installed, or not newer; --all shows it.' : '';
    ui.note(`No advisory on offer matches ${asked.specs.join(' ')} and what is installed.${more}`);
  }
  return EXIT.done;
}

/** The words yum knew: which advisories, of which kind; `cves` lists them by CVE. Source: dnf(8), Updateinfo Command. */
const AVAILABILITY: Readonly<Record<string, Which>> = {
  available: 'available',
  installed: 'installed',
  updates: 'updates',
  upgrades: 'updates',
  all: 'all',
};
const TYPES: Readonly<Record<string, string>> = {
  security: 'security',
  sec: 'security',
  bugfix: 'bugfix',
  enhancement: 'enhancement',
  newpackage: 'newpackage',
};

interface Asked {
  readonly show: (typeof SHOWS)[number];
  readonly which: Which;
  readonly kinds: readonly Fix[];
  /** By CVE. */
  readonly cves: boolean;
  readonly specs: readonly string[];
}

function questionOf(words: readonly string[], options: Options): Asked {
  const rest = [...words];
  const take = <T>(known: (word: string) => T | undefined): T | undefined => {
    const found = rest[0] === undefined ? undefined : known(rest[0]);
    if (found !== undefined) rest.shift();
    return found;
  };
  const flag = SHOWS.find((name) => options.flag(name));
  const word = take((one) => SHOWS.find((show) => show === one));
  const show = flag ?? word ?? (words.length > 0 ? 'list' : 'summary');
  const which = take((word) => AVAILABILITY[word]);
  const type = take((word) => TYPES[word]);
  const cves = take((word) => (word === 'cves' ? true : undefined)) ?? false;
  const kinds = [...fixesOf(options).filter(isFix), ...(type ? [{ kind: 'type', text: type } as const] : [])];
  return { show, which: which ?? whichOf(options), kinds, cves, specs: rest };
}

function whichOf(options: Options): Which {
  if (options.flag('all')) return 'all';
  if (options.flag('installed')) return 'installed';
  return options.flag('upgrades') ? 'updates' : 'available';
}

function specOf(word: string): (line: AdvisoryLine) => boolean {
  const fits = compile(word);
  const id = glob(word);
  return ({ advisory, package: pkg }) => id(advisory.id) || advisory.cves.includes(word.toUpperCase()) || fits(pkg);
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, which: null, advisories: [], error: errorJson(error) };
}
