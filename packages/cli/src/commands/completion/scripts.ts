import { PROGRAM } from '../../command-line/types.ts';

/** The first word with which a shell asks for completions, in place of a command. */
export const COMPLETE = '__complete';

/**
 * bash takes words apart at `=`, `:` and `@`, and replaces only the last part, `$2`: the function puts the words together
 * again, and takes from each candidate what stands before that part.
 */
const BASH = `# bash completion for ${PROGRAM}
_model_rtc() {
  local rest=\${COMP_LINE:0:COMP_POINT} replaced=$2 spaced part i
  local -a words=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    spaced=\${rest#"\${rest%%[![:space:]]*}"}
    part=\${COMP_WORDS[i]}
    ((i == COMP_CWORD)) && part=$spaced
    if ((i > 0)) && [[ $spaced == "$rest" ]]; then
      words[\${#words[@]}-1]+=$part
    else
      words+=("$part")
    fi
    rest=\${spaced#"$part"}
  done
  local word=\${words[\${#words[@]}-1]#[\\"\\']} line paths='' at=''
  words[\${#words[@]}-1]=$word
  local before=\${word%"$replaced"}
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    case $line in
      :*) paths=$line ;;
      ?*) COMPREPLY+=("\${line#"$before"}") ;;
    esac
  done < <("\${words[0]/#\\~/$HOME}" ${COMPLETE} bash "\${words[@]:1}" 2>/dev/null)
  [[ -n $paths ]] || return 0
  local options=(-o filenames)
  [[ $replaced == @* ]] && at=@ options+=(-o noquote)
  # The bash of macOS has no compopt.
  type compopt &>/dev/null && compopt "\${options[@]}"
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <(compgen -P "$at" -\${paths:1:1} -- "\${replaced#@}")
}
complete -F _model_rtc ${PROGRAM}
`;

const ZSH = `#compdef ${PROGRAM}
# zsh completion for ${PROGRAM}
_${PROGRAM}() {
  local line paths=''
  local -a given candidates
  given=("\${(@Q)words[2,CURRENT-1]}" "$PREFIX")
  while IFS= read -r line; do
    case $line in
      :*) paths=$line ;;
      ?*) candidates+=("$line") ;;
    esac
  done < <("\${(Q)\${~words[1]}}" ${COMPLETE} zsh "\${given[@]}" 2>/dev/null)
  if [[ -n $paths ]]; then
    compset -P '--[^=]#='
    compset -P '@'
    if [[ $paths == :directories ]]; then _files -/; else _files; fi
  elif ((\${#candidates})); then
    _describe -t values '${PROGRAM}' candidates
  fi
}
if [[ \${funcstack[1]} == _${PROGRAM} ]]; then
  _${PROGRAM} "$@"
elif ((\${+functions[compdef]})); then
  compdef _${PROGRAM} ${PROGRAM}
fi
`;

export const SCRIPTS = { bash: BASH, zsh: ZSH } as const;
