# Prints what zsh offers for the command line $2; completion functions are looked for in $1 first.
zmodload zsh/zpty
child=$(mktemp)
cat > $child <<'CHILD'
PROMPT=
unsetopt beep zle_bracketed_paste 2>/dev/null
unset zle_bracketed_paste
autoload -Uz compinit
compinit -u -D
bindkey '^M' undefined
bindkey '^J' undefined
bindkey '^I' complete-word
mark() { echo -E - $'\0' }
compprefuncs=(mark)
comppostfuncs=(mark exit)
zstyle ':completion:*' list-grouped false
zstyle ':completion:*' insert-tab false
zstyle ':completion:*' list-separator ''
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
    builtin compadd "$@"
    return
  fi
  typeset -a hits
  builtin compadd -A hits "$@"
  [[ -n $hits ]] || return
  local hit
  for hit in $hits; do echo -E - "$hit"; done
}
echo ok
CHILD
zpty z "fpath=($1 \$fpath) zsh -f -i"
zpty -w z "fpath=($1 \$fpath); source $child"
repeat 20; do
  zpty -r z line
  [[ $line == ok* ]] && break
done
zpty -w -n z "$2"$'\t'
integer inside=0
while zpty -r z; do :; done | while IFS= read -r line; do
  if [[ $line == *$'\0'* ]]; then
    (( inside++ )) && break
    continue
  fi
  (( inside )) && echo -E - ${line%$'\r'}
done
rm -f $child
