// Completion for zsh. Source: zshcompsys(1), the functions _arguments, _describe and _files.
import type { OptionSpec } from '../option-spec.ts';
import {
  commonOptions,
  followsOf,
  type Kind,
  namesOf,
  ownOptions,
  QUESTIONS,
  spellings,
  valueKind,
  verbs,
  wordsOf,
} from './tables.ts';

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const plain = (text: string): string => text.replace(/[[\]:\\]/g, '\\$&');

// A space in front: the function gets its own arguments and nothing else.
const ACTIONS: Record<Kind, string> = {
  available: ' _kpatch_pm_names available',
  installed: ' _kpatch_pm_names installed',
  packages: ' _kpatch_pm_names packages',
  kernels: ' _kpatch_pm_names kernels',
  repos: ' _kpatch_pm_names repos',
  files: '_files',
  directories: '_files -/',
  none: ' ',
};

/** One or more specs of _arguments for an option. */
function optionSpecs(spec: OptionSpec): string[] {
  const help = plain(spec.help.split(/[.:;](?:\s|$)/)[0] ?? '');
  const action = spec.choices ? `(${spec.choices.join(' ')})` : ACTIONS[valueKind(spec)];
  const value = spec.kind === 'flag' ? '' : `:${plain(spec.metavar ?? 'value')}:${action}`;
  const many = spec.kind === 'list' ? '*' : '';
  return spellings(spec).map((name) =>
    quoted(`${many}${name}${value !== '' && name.startsWith('--') ? '=' : ''}[${help}]${value}`),
  );
}

/** The whole script. */
export function zshCompletion(): string {
  const common = commonOptions.flatMap(optionSpecs).map((spec) => `    ${spec}`);
  const list = verbs.map(({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`);
  const cases = verbs.map((verb) => {
    const own = ownOptions(verb).flatMap(optionSpecs);
    const words = wordsOf(verb);
    const kind = followsOf(verb);
    const wanted =
      words.length > 0
        ? `_alternative ${quoted(`words:word:(${words.join(' ')})`)}${kind === 'none' ? '' : ` ${quoted(`names:name:${ACTIONS[kind]}`)}`}`
        : null;
    const follow = wanted === null ? (kind === 'none' ? null : `*::name:${ACTIONS[kind]}`) : '*::word:->words';
    const args = [...own, ...(follow === null ? [] : [quoted(follow.replace('*::', '*:'))])];
    const common_ = verb.raw ? '' : ' $common';
    const act = `_arguments -s${common_}${args.length > 0 ? ` ${args.join(' ')}` : ''}`;
    const after = wanted === null ? '' : `\n        [[ $state == words ]] && ${wanted}`;
    return `    (${namesOf(verb).join('|')})\n        ${act}${after}\n        ;;`;
  });
  const questions = Object.entries(QUESTIONS).map(([kind, args]) => `    (${kind}) ask=(${args}) ;;`);
  return `#compdef kpatch-pm
# Completion of kpatch-pm for zsh. Made by: kpatch-pm completion zsh

# Names the program itself knows, for the root that is worked on.
_kpatch_pm_names() {
  local -a ask root names
  case $1 in
${questions.join('\n')}
  esac
  [[ -n $kpm_root ]] && root=(--installroot $kpm_root)
  case $1 in
    (kernels) names=(\${(f)"$(COLUMNS=300 $kpm_program $root $ask 2>/dev/null </dev/null | awk '$2 == "running" || $2 == "installed" { print $1 }')"}) ;;
    (repos) names=(\${(f)"$(COLUMNS=300 $kpm_program $root $ask 2>/dev/null </dev/null | awk 'NR > 1 { print $1 }')"}) ;;
    (*) names=(\${(f)"$(COLUMNS=300 $kpm_program $root $ask 2>/dev/null </dev/null | awk 'NF == 3 { sub(/\\.[^.]*$/, "", $1); print $1 }')"}) ;;
  esac
  compadd -a names
  [[ $1 == available ]] && _files -g '*.rpm'
}

_kpatch_pm() {
  local curcontext=$curcontext state line kpm_program=$words[1] kpm_root= i
  local -A opt_args
  local -a common verbs
  common=(
${common.join('\n')}
  )
  verbs=(
${list.join('\n')}
  )
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      (--installroot) kpm_root=$words[i+1] ;;
      (--installroot=*) kpm_root=\${words[i]#*=} ;;
    esac
  done
  _arguments -s -C $common '1:verb:->verb' '*::argument:->rest'
  case $state in
    (verb) _describe verb verbs ;;
    (rest)
      state=
      case $line[1] in
${cases.map((one) => one.replace(/^/gm, '    ')).join('\n')}
      esac
      ;;
  esac
}

_kpatch_pm "$@"
`;
}
