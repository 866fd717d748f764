// Completion for bash. Source: bash(1), Programmable Completion; bash-completion's _init_completion.
import {
  allOptions,
  commonOptions,
  followsOf,
  type Kind,
  namesOf,
  ownOptions,
  QUESTIONS,
  spellings,
  valueKind,
  valueOptions,
  verbs,
  wordsOf,
} from './tables.ts';

const OFFERS: Record<Kind, string> = {
  available: '_kpatch_pm_names available',
  installed: '_kpatch_pm_names installed',
  packages: '_kpatch_pm_names packages',
  kernels: '_kpatch_pm_names kernels',
  repos: '_kpatch_pm_names repos',
  files: '_filedir',
  directories: '_filedir -d',
  none: 'return',
};

/** The whole script. */
export function bashCompletion(): string {
  const valued = valueOptions.flatMap(spellings);
  const values = valueOptions.map((spec) => {
    const act = spec.choices
      ? `COMPREPLY=($(compgen -W '${spec.choices.join(' ')}' -- "$cur"))`
      : OFFERS[valueKind(spec)];
    return `        ${spellings(spec).join('|')})\n            ${act}\n            return\n            ;;`;
  });
  const offered = verbs.map((verb) => {
    const options = [...(verb.raw ? [] : commonOptions), ...ownOptions(verb)].flatMap(spellings);
    return `        ${namesOf(verb).join('|')})\n            options='${options.filter((one) => one.startsWith('--')).join(' ')}'\n            follow=${followsOf(verb)}\n            list='${wordsOf(verb).join(' ')}'\n            ;;`;
  });
  const questions = Object.entries(QUESTIONS).map(([kind, args]) => `        ${kind}) ask='${args}' ;;`);
  return `# Completion of kpatch-pm for bash. Made by: kpatch-pm completion bash

# Names the program itself knows, for the root that is worked on.
_kpatch_pm_names() {
    local ask i root=()
    case $1 in
${questions.join('\n')}
    esac
    for ((i = 1; i < cword; i++)); do
        case \${words[i]} in
            --installroot) root=(--installroot "\${words[i + 1]}") ;;
            --installroot=*) root=("\${words[i]}") ;;
        esac
    done
    local names
    names=$(COLUMNS=300 "\${words[0]}" "\${root[@]}" $ask 2>/dev/null </dev/null | case $1 in
        kernels) awk '$2 == "running" || $2 == "installed" { print $1 }' ;;
        repos) awk 'NR > 1 { print $1 }' ;;
        *) awk 'NF == 3 { sub(/\\.[^.]*$/, "", $1); print $1 }' ;;
    esac)
    COMPREPLY+=($(compgen -W "$names" -- "$cur"))
}

_kpatch_pm() {
    local cur prev words cword split
    _init_completion -s -n : || return
    case $prev in
${values.join('\n')}
    esac
    [[ $split == true ]] && return
    local i verb= options= follow=none list=
    for ((i = 1; i < cword; i++)); do
        case \${words[i]} in
            ${valued.join('|')}) ((i++)) ;;
            -*) ;;
            *)
                verb=\${words[i]}
                break
                ;;
        esac
    done
    case $verb in
        '')
            options='${[...new Set(allOptions.filter((spec) => spec.verbs === undefined).flatMap(spellings))].filter((one) => one.startsWith('--')).join(' ')}'
            list='${verbs.map(({ name }) => name).join(' ')}'
            ;;
${offered.join('\n')}
        *) return ;;
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$cur"))
        return
    fi
    COMPREPLY=($(compgen -W "$list" -- "$cur"))
    case $follow in
        none) ;;
        files) _filedir ;;
        *) _kpatch_pm_names $follow ;;
    esac
    # A package file may be named in place of a package.
    [[ $follow == available && $cur == */* ]] && _filedir rpm
    return 0
}

complete -F _kpatch_pm kpatch-pm
`;
}
