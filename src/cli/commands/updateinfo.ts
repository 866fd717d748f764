// updateinfo list|info|summary: advisories about kernels and live patches, as dnf prints them.
import { type AdvisoryLine, advisoryLines, type Which } from '../../decide/updateinfo.ts';
import { compile } from '../../domain/pattern.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { gather } from '../../usecases/evidence/gather.ts';
import { type Context, tellNotices } from '../context.ts';
import type { Options } from '../options.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';
import { renderInfo, renderList, renderSummary, updateinfoJson } from '../render/updateinfo.ts';

const SHOWS = ['list', 'info', 'summary'] as const;

export async function run({ machine, request, words, ui, output, options }: Context): Promise<number> {
  const [first = ''] = words;
  const show = SHOWS.find((word) => word === first) ?? (words.length > 0 ? 'list' : 'summary');
  const specs = SHOWS.some((word) => word === first) ? words.slice(1) : words;
  const which = whichOf(options);
  const { world, packages } = await gather(machine, request, ui);
  tellNotices(ui, world);
  for (const { problem } of world.advisoryStates) if (problem) ui.warn(problem.text);
  const ours = world.installed.flatMap((patch) => (patch.package ? [patch.package] : []));
  const wanted = [...specs.map(specOf), ...fixOptions(options)];
  const lines = advisoryLines(world.advisories, [...packages, ...ours], { which, specs: wanted });
  if (options.flag('json')) output.out(jsonText(updateinfoJson(which, lines)));
  else if (show === 'summary') output.out(renderSummary(lines, which));
  else if (show === 'info') output.out(renderInfo(lines, which, options.flag('verbose')));
  else output.out(renderList(lines, which, options.flag('with-cve')));
  return EXIT.done;
}

function whichOf(options: Options): Which {
  if (options.flag('all')) return 'all';
  if (options.flag('installed')) return 'installed';
  return options.flag('upgrades') ? 'updates' : 'available';
}

function specOf(word: string): (line: AdvisoryLine) => boolean {
  const fits = compile(word);
  return ({ advisory, package: pkg }) =>
    advisory.id === word || advisory.cves.includes(word.toUpperCase()) || fits(pkg);
}

function fixOptions(options: Options): ((line: AdvisoryLine) => boolean)[] {
  return [
    ...options.list('cve').map((cve) => (line: AdvisoryLine) => line.advisory.cves.includes(cve.toUpperCase())),
    ...options.list('advisory').map((id) => (line: AdvisoryLine) => line.advisory.id === id),
  ];
}

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, which: null, advisories: [], error: errorJson(error) };
}
