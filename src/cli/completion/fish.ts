// Completion for fish. Source: fish's complete(1).
import type { OptionSpec } from '../option-spec.ts';
import { allOptions, followsOf, type Kind, namesOf, QUESTIONS, valueKind, verbs, wordsOf } from './tables.ts';

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

const OFFERS: Record<Kind, string | null> = {
  available: '(__kpatch_pm_names available)',
  installed: '(__kpatch_pm_names installed)',
  packages: '(__kpatch_pm_names packages)',
  kernels: '(__kpatch_pm_names kernels)',
  repos: '(__kpatch_pm_names repos)',
  files: null,
  directories: '(__fish_complete_directories)',
  none: '',
};

const seen = (names: readonly string[]): string => `-n ${quoted(`__kpatch_pm_verb ${names.join(' ')}`)}`;

function optionLine(spec: OptionSpec): string[] {
  const help = quoted(spec.help.split(/[.:;](?:\s|$)/)[0] ?? '');
  const names = verbs.filter(({ name }) => spec.verbs?.includes(name)).flatMap(namesOf);
  const when = spec.verbs === undefined ? '' : ` ${seen(names)}`;
  const offer = spec.choices ? spec.choices.join(' ') : OFFERS[valueKind(spec)];
  const value =
    spec.kind === 'flag' ? '' : offer === null ? ' -r -F' : offer === '' ? ' -x' : ` -x -a ${quoted(offer)}`;
  return [spec.name, ...(spec.aliases ?? [])].map((name, n) => {
    const short = n === 0 && spec.short !== undefined ? ` -s ${spec.short}` : '';
    return `complete -c kpatch-pm${when}${short} -l ${name}${value} -d ${help}`;
  });
}

/** The whole script. */
export function fishCompletion(): string {
  const questions = Object.entries(QUESTIONS).map(
    ([kind, args]) => `        case ${kind}\n            set ask ${args}`,
  );
  const valued = allOptions
    .filter(({ kind }) => kind !== 'flag')
    .flatMap(({ name, short, aliases = [] }) => [
      ...(short === undefined ? [] : [`-${short}`]),
      ...[name, ...aliases].map((one) => `--${one}`),
    ]);
  const lines = [
    '# Completion of kpatch-pm for fish. Made by: kpatch-pm completion fish',
    '',
    '# The verb that was typed; with words: whether it is one of them.',
    'function __kpatch_pm_verb',
    '    set -l words (commandline -opc)',
    '    set -e words[1]',
    '    while set -q words[1]',
    `        if contains -- $words[1] ${valued.join(' ')}`,
    '            set -e words[1]',
    "        else if not string match -q -- '-*' $words[1]",
    '            test (count $argv) -eq 0; and return 0',
    '            contains -- $words[1] $argv',
    '            return',
    '        end',
    '        set -e words[1]',
    '    end',
    '    return 1',
    'end',
    '',
    '# Names the program itself knows, for the root that is worked on.',
    'function __kpatch_pm_names',
    '    set -l words (commandline -opc)',
    '    set -l root',
    '    set -l ask',
    '    switch $argv[1]',
    ...questions,
    '    end',
    '    for i in (seq (count $words))',
    '        switch $words[$i]',
    '            case --installroot',
    '                set root --installroot $words[(math $i + 1)]',
    "            case '--installroot=*'",
    '                set root $words[$i]',
    '        end',
    '    end',
    '    switch $argv[1]',
    '        case kernels',
    `            env COLUMNS=300 $words[1] $root $ask 2>/dev/null </dev/null | awk '$2 == "running" || $2 == "installed" { print $1 }'`,
    '        case repos',
    "            env COLUMNS=300 $words[1] $root $ask 2>/dev/null </dev/null | awk 'NR > 1 { print $1 }'",
    "        case '*'",
    `            env COLUMNS=300 $words[1] $root $ask 2>/dev/null </dev/null | awk 'NF == 3 { sub(/\\.[^.]*$/, "", $1); print $1 }'`,
    '    end',
    'end',
    '',
    'complete -c kpatch-pm -f',
    ...verbs.map(
      ({ name, summary }) => `complete -c kpatch-pm -n 'not __kpatch_pm_verb' -a ${name} -d ${quoted(summary)}`,
    ),
    ...verbs.flatMap((verb) => {
      const when = seen(namesOf(verb));
      const words = wordsOf(verb);
      const offer = OFFERS[followsOf(verb)];
      return [
        ...(words.length > 0 ? [`complete -c kpatch-pm ${when} -a ${quoted(words.join(' '))}`] : []),
        ...(offer === null || followsOf(verb) === 'available' ? [`complete -c kpatch-pm ${when} -F`] : []),
        ...(offer === null || offer === '' ? [] : [`complete -c kpatch-pm ${when} -a ${quoted(offer)}`]),
      ];
    }),
    ...allOptions.flatMap(optionLine),
  ];
  return `${lines.join('\n')}\n`;
}
