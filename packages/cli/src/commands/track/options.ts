import { type ArgumentSpecs, flagOption, textOption, textsOption } from '../../command-line/types.ts';
import { speedOptions } from '../client/transfer.ts';
import { workerOption } from '../options.ts';

export const trackOptions = {
  model: textsOption('The models in the order that the runner takes them: ids, aliases, digest prefixes or paths', {
    completes: 'remote-models',
  }),
  data: textsOption('The files and folders that it reads', { completes: 'files' }),
  worker: workerOption,
  output: textOption('Where the results go [beside the data: DATA.MODEL.predictions.EXT]', { completes: 'files' }),
  runner: textOption("The worker's runner [the one that accepts the model]"),
  set: textsOption('KEY=VALUE: a setting that the runner declares; several are possible'),
  remote: flagOption("Run the worker's own model of this name"),
  push: { type: 'boolean', default: true, describe: 'Send models that the worker lacks; --no-push refuses instead' },
  resume: textOption("Resume an interrupted training of the worker's, in place of --model"),
  again: flagOption('Run it even if the same job was run before'),
  force: flagOption('Replace what is where the results go'),
  detach: flagOption('Do not wait for the job; its results are kept at the worker'),
  'on-interrupt': {
    choices: ['detach', 'cancel'],
    describe: 'What Ctrl+C does to the job [asked on a terminal, else detach]',
  },
  ...speedOptions,
} as const satisfies ArgumentSpecs;
