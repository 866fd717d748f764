// docs/command-line.md, made from the tables of verbs and options.
import { optionForms } from '../../src/cli/help.ts';
import { OPTION_GROUPS, type OptionSpec } from '../../src/cli/option-spec.ts';
import { OPTIONS } from '../../src/cli/options.ts';
import type { VerbSpec } from '../../src/cli/verb-spec.ts';
import { VERBS } from '../../src/cli/verbs.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

function verbSection(verb: VerbSpec): string[] {
  const usage = [verb.name, ...verb.aliases].map(
    (name) => `    kpatch-pm [OPTION...] ${`${name} ${verb.takes}`.trim()}`,
  );
  const examples = verb.examples.map(({ command, what }) => `| \`${cell(command)}\` | ${cell(what)} |`);
  return [
    `### ${verb.name}`,
    '',
    ...usage,
    '',
    `${verb.summary}.`,
    ...verb.about.flatMap((text) => ['', text]),
    '',
    '| example | does |',
    '|---|---|',
    ...examples,
    '',
  ];
}

function optionRow(spec: OptionSpec): string {
  const choices = spec.choices === undefined ? '' : ` (${spec.choices.join(', ')})`;
  const only = spec.verbs === undefined ? '' : ` Only with ${spec.verbs.join(', ')}.`;
  return `| \`${cell(optionForms(spec))}\` | ${cell(spec.help)}${choices}${only} | ${spec.default ?? ''} |`;
}

/** The whole page. */
export function commandLinePage(): string {
  const specs: readonly OptionSpec[] = OPTIONS;
  const lines = [
    '# The command line',
    '',
    'This page answers: which verbs and options are there? It is written from the tables in `src/cli/verbs.ts` and `src/cli/options.ts`, as is `kpatch-pm --help`.',
    'What may be relied on is in [contract.md](contract.md).',
    '',
    '    kpatch-pm [OPTION...] VERB',
    '',
    'Every verb takes every option, unless said; options may stand before or after the verb. Of an option given twice the last value counts, except where it may be repeated.',
    '',
    '## Verbs',
    '',
    ...VERBS.flatMap(verbSection),
    '## Options',
    '',
  ];
  for (const group of OPTION_GROUPS) {
    lines.push(`### ${group}`, '', '| option | does | default |', '|---|---|---|');
    lines.push(...specs.filter((spec) => spec.group === group).map(optionRow), '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}
