// keys: which keys are trusted and for what; import, remove, pin.
import { EXIT, type KpmError } from '../../errors.ts';
import { STREAMS } from '../../pipeline/pins.ts';
import { dropKey, importKeys, type KeyChange, type KeyDone, pinKey, unpinKey } from '../../usecases/keys/change.ts';
import { configFor, type KeyList, keyNamed, listKeys, typedFingerprint } from '../../usecases/keys/list.ts';
import { usageError } from '../arguments.ts';
import type { Context } from '../context.ts';
import { errorJson, JSON_FORMAT, jsonText } from '../render/json.ts';
import { keysJson, renderDone, renderKey, renderKeys } from '../render/keys.ts';

const WORDS = ['list', 'show', 'import', 'remove', 'pin', 'unpin'] as const;
type Word = (typeof WORDS)[number];

/** What was asked for. Raises `usage`. */
function asked(context: Context): { readonly word: Word; readonly rest: readonly string[] } {
  const [typed = 'list', ...rest] = context.words;
  const word = WORDS.find((one) => one === typed);
  const wrong = (text: string): KpmError => usageError(text, 'keys');
  if (word === undefined) throw wrong(`keys knows no ${typed}, only ${WORDS.join(', ')}.`);
  if (word === 'list' && rest.length > 0) throw wrong('keys list takes no arguments.');
  if (word === 'import' && rest.length === 0) throw wrong('keys import needs FILE-OR-URL.');
  if (word === 'show' || word === 'remove') fingerprint(rest, word);
  if (word === 'pin' || word === 'unpin') {
    const [stream] = rest;
    if (stream === undefined) throw wrong(`keys ${word} needs STREAM.`);
    if (!STREAMS.includes(stream)) throw wrong(`There is no live-patch stream ${stream}, only ${STREAMS.join(', ')}.`);
    if (word === 'pin' || rest.length > 1) fingerprint(rest.slice(1), word);
    if (context.options.value('metadata') !== null)
      throw wrong('--metadata does not go with pins: they are for packages.');
  }
  return { word, rest };
}

/** A fingerprint as typed. Raises `usage`. */
function fingerprint(words: readonly string[], word: string): string {
  const typed = typedFingerprint(words);
  if (/^[0-9A-F]{16,64}$/.test(typed)) return typed;
  throw usageError(
    words.length === 0 ? `keys ${word} needs FPR.` : `${words.join(' ')} is no fingerprint: 40 hexadecimal digits.`,
    'keys',
  );
}

export async function run(context: Context): Promise<number> {
  const { machine, request, options, ui, output, directory } = context;
  const { word, rest } = asked(context);
  const config = configFor(machine, request);
  const repo = options.value('metadata');
  if (repo !== null && ![...config.repos, ...config.disabled].some(({ id }) => id === repo))
    ui.warn(`No repository ${repo} is configured. Those that are: kpatch-pm repolist --all`);
  const change: KeyChange = { machine, config, request, ui, repo };
  let done: KeyDone[] = [];
  if (word === 'import') done = await importKeys(change, rest, directory);
  if (word === 'remove') done = await dropKey(change, fingerprint(rest, word));
  if (word === 'pin') done = await pinKey(change, rest[0] as string, fingerprint(rest.slice(1), word));
  if (word === 'unpin') {
    done = await unpinKey(change, rest[0] as string, rest.length > 1 ? fingerprint(rest.slice(1), word) : null);
  }
  const list = await listKeys(machine, config);
  for (const { text } of list.notices) ui.warn(text);
  const shown = word === 'show' ? [keyNamed(list, fingerprint(rest, word), repo)] : list.keys;
  if (options.flag('json')) {
    output.out(jsonText(keysJson({ ...list, keys: shown }, request.dryRun ? [] : done)));
  } else if (word === 'list') {
    output.out(renderKeys(repo === null ? list : metadataOnly(list, repo), output.outStyle));
  } else if (word === 'show') {
    output.out(shown.map((entry) => renderKey(entry)).join(''));
  } else if (request.dryRun || !options.flag('quiet')) {
    output.out(renderDone(done, request.dryRun));
  }
  return EXIT.done;
}

/** Pins and removed keys are those of packages. */
const metadataOnly = ({ keys, notices }: KeyList, repo: string): KeyList => ({
  keys: keys.filter((one) => one.repo === repo),
  pins: [],
  removed: [],
  notices,
});

export function failureJson(error: KpmError): unknown {
  return { format: JSON_FORMAT, keys: [], pins: [], removed: [], done: [], error: errorJson(error) };
}
