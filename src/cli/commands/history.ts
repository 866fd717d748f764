// history: what was done, and undoing it.
import type { HistoryRecord } from '../../domain/history.ts';
import { EXIT, type KpmError } from '../../errors.ts';
import { historyOf, noRecord } from '../../pipeline/undo.ts';
import { numbersOf, recordNumbers } from '../../state/history.ts';
import type { Holder } from '../../state/holder.ts';
import { lastHolder } from '../../state/lock.ts';
import { usageError } from '../arguments.ts';
import type { Context } from '../context.ts';
import { type HistoryView, historyJson, renderHistory, renderHistoryInfo } from '../render/history.ts';
import { errorJson, jsonText } from '../render/json.ts';
import { run as change, failureJson as planFailure } from './change.ts';

export async function run(context: Context): Promise<number> {
  const [command = 'list', ...words] = context.words;
  switch (command) {
    case 'list':
      return list(context, words);
    case 'info':
      return info(context, words.length === 0 ? ['last'] : words);
    case 'undo':
      return undo(context, words);
    default:
      // A number alone: dnf takes it for `list`.
      if (numbersOf(command, []) !== null) return list(context, context.words);
      throw usageError(`history knows \`list\`, \`info\` and \`undo\`, not \`${command}\`.`, 'history');
  }
}

async function undo(context: Context, words: readonly string[]): Promise<number> {
  const [word, ...more] = words;
  if (word === undefined || more.length > 0 || !/^(\d+|last(-\d+)?)$/.test(word)) {
    throw usageError('history undo needs one transaction: its number, `last` or `last-N`.', 'history');
  }
  return change({ ...context, words: [], request: { ...context.request, words: [], undo: word } });
}

function list(context: Context, words: readonly string[]): number {
  const { output, options, machine } = context;
  const views = chosen(context, words);
  if (options.flag('json')) output.out(jsonText(historyJson(views, null)));
  else output.out(renderHistory(views, output.outStyle, machine.env.TZ));
  return EXIT.done;
}

function info(context: Context, words: readonly string[]): number {
  const { output, options, machine } = context;
  const views = chosen(context, words);
  if (options.flag('json')) output.out(jsonText(historyJson(views, null)));
  else if (views.length === 0) output.out('No transactions\n');
  else output.out(renderHistoryInfo(views, output.outStyle, machine.env.TZ));
  return EXIT.done;
}

/** What the words name, the newest first; without words everything. Raises `needs-root`, `no-record`, `usage`. */
function chosen({ machine, ui }: Context, words: readonly string[]): HistoryView[] {
  const records = historyOf(machine, ui);
  const there = recordNumbers(machine.root);
  const wanted = new Set(words.flatMap((word) => named(word, there)));
  // One number was named, and its record is among those that were told to be unreadable.
  const [only, ...more] = wanted;
  if (only !== undefined && more.length === 0 && !records.some(({ id }) => id === only))
    throw noRecord(String(only), true);
  const holder = lastHolder(machine.root);
  const busy = holder !== null && machine.host.exists(`proc/${holder.pid}`);
  return records
    .filter(({ id }) => words.length === 0 || wanted.has(id))
    .map((record) => ({ record, running: busy && isOf(record, holder) }));
}

/** Whether a run that has not ended is that of whoever has the lock. */
const isOf = (record: HistoryRecord, { since }: Holder): boolean => record.ended === null && record.begun >= since;

function named(word: string, there: readonly number[]): number[] {
  const numbers = numbersOf(word, there);
  if (numbers === null) {
    throw usageError(
      `A transaction is named by its number, \`last\`, \`last-N\` or \`N..M\`, not \`${word}\`.`,
      'history',
    );
  }
  if (numbers.length > 0 || (word === 'last' && there.length === 0)) return numbers;
  throw noRecord(word, false);
}

export function failureJson(error: KpmError, context: Context): unknown {
  if (context.words[0] === 'undo') return planFailure(error, context);
  return historyJson([], errorJson(error));
}
