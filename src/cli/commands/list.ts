// list, info: live patches, installed and on offer.
import { listing, type Question } from '../../decide/listing.ts';
import { EXIT, KpmError } from '../../errors.ts';
import { specsOf } from '../../pipeline/named.ts';
import { checkKernels, observe } from '../../pipeline.ts';
import { usageError } from '../arguments.ts';
import { type Context, tellNotices } from '../context.ts';
import type { Options } from '../options.ts';
import { errorJson, jsonText } from '../render/json.ts';
import { packagesJson, renderInfo, renderList } from '../render/packages.ts';
import { waitingNotes } from '../render/waiting.ts';
import { textForThisRoot } from '../root-command.ts';

/** The words yum knew before there were options. */
const WORDS: Readonly<Record<string, Question['what']>> = {
  installed: 'installed',
  available: 'available',
  upgrades: 'upgrades',
  updates: 'upgrades',
  all: 'all',
};

export async function run(context: Context): Promise<number> {
  const { machine, verb, ui, output, options } = context;
  const { what, words } = questionOf(context.words, options);
  const installedOnly = what === 'installed';
  const request = {
    ...context.request,
    words,
    // What is installed is told without asking any repository.
    ...(installedOnly ? { cacheOnly: context.request.cacheOnly || !context.request.refresh } : {}),
  };
  const world = await observe(machine, request, ui);
  if (installedOnly) for (const { text } of world.notices) ui.warn(text);
  else tellNotices(ui, world);
  checkKernels(request.kernels, world);
  const specs = specsOf(request, world);
  const found = listing(world, {
    what,
    specs,
    kernels: request.kernels,
    duplicates: options.flag('showduplicates'),
  });
  if (found.length === 0 && (specs.length > 0 || what === 'installed')) {
    throw new KpmError('no-match', {
      text: 'No matching Packages to list',
      subject: specs[0]?.text,
      hint: specs.length > 0 ? 'See everything: kpatch-pm list' : 'What is on offer: kpatch-pm list --available',
    });
  }
  const waiting = what === 'upgrades' && specs.length === 0 ? waitingNotes(world) : [];
  if (found.length === 0)
    ui.note(what === 'upgrades' ? noUpgrades(waiting) : 'No live patch is installed or on offer.');
  for (const text of waiting) ui.note(text);
  const typed = (text: string): string => textForThisRoot(text, options);
  if (options.flag('json')) output.out(jsonText(packagesJson(found, world)));
  else if (verb === 'info') output.out(renderInfo(found, world, output.outStyle, typed));
  else output.out(renderList(found, output.outStyle, output.outTerminal));
  return EXIT.done;
}

const noUpgrades = (waiting: readonly string[]): string =>
  waiting.length === 0 ? 'No upgrades are on offer.' : 'No upgrade is taken by itself.';

function questionOf(words: readonly string[], options: Options): { what: Question['what']; words: readonly string[] } {
  const [first = '', ...rest] = words;
  const flags = (['installed', 'available', 'upgrades', 'all'] as const).filter((name) => options.flag(name));
  if (flags.length > 1) throw usageError(`--${flags[0]} and --${flags[1]} contradict each other.`, 'list');
  const [flag] = flags;
  if (flag !== undefined) return { what: flag, words };
  const word = WORDS[first];
  return word === undefined ? { what: 'all', words } : { what: word, words: rest };
}

export function failureJson(error: KpmError): unknown {
  return packagesJson([], null, errorJson(error));
}
