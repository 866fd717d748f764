// The help, made from the tables. It loads nothing else, so that it is there at once.
import { OPTION_GROUPS, type OptionSpec } from './option-spec.ts';
import { OPTIONS } from './options.ts';
import { wrap } from './render/width.ts';
import type { VerbSpec } from './verb-spec.ts';
import { VERBS } from './verbs.ts';

const specs: readonly OptionSpec[] = OPTIONS;
const verbs: readonly VerbSpec[] = VERBS;

/** No line longer than this, however wide the terminal is. */
const WIDEST = 100;

function paragraph(text: string, width: number, indent: string): string[] {
  return wrap(text, width - indent.length).map((line) => indent + line);
}

/** `-c FILE, --config FILE` */
export function optionForms(spec: OptionSpec): string {
  const value = spec.metavar === undefined ? '' : ` ${spec.metavar}`;
  const short = spec.short === undefined ? [] : [`-${spec.short}${value}`];
  return [...short, ...[spec.name, ...(spec.aliases ?? [])].map((name) => `--${name}${value}`)].join(', ');
}

const optionHelp = (spec: OptionSpec, width: number): string[] => [
  `  ${optionForms(spec)}`,
  ...paragraph(spec.help, width, '      '),
];

function optionLines(width: number): string[] {
  return OPTION_GROUPS.flatMap((group) => [
    '',
    `${group}:`,
    ...specs
      .filter((spec) => spec.group === group && spec.verbs === undefined)
      .flatMap((spec) => optionHelp(spec, width)),
  ]);
}

/** `kpatch-pm --help`. */
export function generalHelp(columns: number): string {
  const width = Math.min(columns, WIDEST);
  const lines = [
    'Usage: kpatch-pm [OPTION...] VERB',
    '',
    ...paragraph('Keeps the kernels of an RPM-based machine live-patched and proves it.', width, ''),
    '',
    'Verbs:',
  ];
  const longest = Math.max(...verbs.map(({ name }) => name.length));
  for (const { name, summary } of verbs) {
    const [first = '', ...rest] = wrap(summary, width - longest - 4);
    lines.push(`  ${name.padEnd(longest)}  ${first}`, ...rest.map((line) => ' '.repeat(longest + 4) + line));
  }
  lines.push(
    '',
    ...paragraph(
      '`kpatch-pm VERB --help` explains a verb and the options that are its own. Every verb takes these:',
      width,
      '',
    ),
  );
  lines.push(...optionLines(width), '', 'Exit status:');
  const statuses =
    '0 done, or nothing to do; 1 failed, refused or aborted; 2 wrong usage; 200 another run holds the lock.';
  lines.push(...paragraph(statuses, width, '  '));
  return `${lines.join('\n')}\n`;
}

/** `kpatch-pm VERB --help`. */
export function verbHelp(verb: VerbSpec, columns: number): string {
  const width = Math.min(columns, WIDEST);
  const usage = (name: string): string => `kpatch-pm [OPTION...] ${name}${verb.takes === '' ? '' : ` ${verb.takes}`}`;
  const forms = [`Usage: ${usage(verb.name)}`, ...verb.aliases.map((alias) => `   or: ${usage(alias)}`)];
  const lines = [...forms.flatMap((form) => wrap(form, width, ' '.repeat(11))), ''];
  lines.push(...paragraph(`${verb.summary}.`, width, ''));
  for (const text of verb.about) lines.push('', ...paragraph(text, width, ''));
  const own = specs.filter((spec) => spec.verbs?.includes(verb.name));
  if (own.length > 0) lines.push('', 'Options of this verb:', ...own.flatMap((spec) => optionHelp(spec, width)));
  lines.push('', 'Examples:');
  for (const { command, what } of verb.examples) lines.push(`  ${command}`, ...paragraph(what, width, '      '));
  lines.push('', ...paragraph('The options that every verb takes are shown by `kpatch-pm --help`.', width, ''));
  return `${lines.join('\n')}\n`;
}
