import { defineCommand } from '../../command-line/types.ts';
import { SCRIPTS } from './scripts.ts';

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
