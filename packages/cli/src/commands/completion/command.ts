import { defineCommand, PROGRAM } from '../../command-line/types.ts';

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

const SCRIPTS = { bash: BASH, zsh: ZSH } as const;

export const completion = defineCommand({
  usage: 'completion <shell>',
  describe: 'Print a script that completes commands, options, models and saved workers in a shell',
  positionals: { shell: { choices: ['bash', 'zsh'], demandOption: true, describe: 'The shell' } },
  examples: [
    ['$0 completion bash > ~/.local/share/bash-completion/completions/model-rtc', 'bash, with bash-completion'],
    ['$0 completion bash >> ~/.bashrc', 'bash, without it'],
    ['$0 completion zsh > ~/.zfunc/_model-rtc', 'zsh, with this before compinit in ~/.zshrc: fpath+=(~/.zfunc)'],
  ],
  epilogue: 'Start a new shell afterwards. Completion reads only what is on this machine.',
  async run(context, { shell }) {
    context.output.result({ shell, script: SCRIPTS[shell] }, SCRIPTS[shell]);
  },
});
