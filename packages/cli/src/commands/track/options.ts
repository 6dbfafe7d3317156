import type { ArgumentSpecs } from '../../command-line/types.ts';
import { transferOptions } from '../client/transfer.ts';
import { workerOption } from '../options.ts';

const { limit, nice, compress } = transferOptions;

export const trackOptions = {
  model: {
    type: 'string',
    array: true,
    default: [],
    describe: 'The models in the order that the runner takes them: ids, aliases, digest prefixes or paths',
    completes: 'remote-models',
  },
  data: {
    type: 'string',
    array: true,
    default: [],
    describe: 'The files and folders that it reads',
    completes: 'files',
  },
  worker: workerOption,
  output: {
    type: 'string',
    describe: 'Where the results go [beside the data: DATA.MODEL.predictions.EXT]',
    completes: 'files',
  },
  runner: { type: 'string', describe: "The worker's runner [the one that accepts the model]" },
  set: {
    type: 'string',
    array: true,
    default: [],
    describe: 'KEY=VALUE: a setting that the runner declares; several are possible',
  },
  remote: { type: 'boolean', default: false, describe: "Run the worker's own model of this name" },
  push: { type: 'boolean', default: true, describe: 'Send models that the worker lacks; --no-push refuses instead' },
  resume: { type: 'string', describe: "Resume an interrupted training of the worker's, in place of --model" },
  again: { type: 'boolean', default: false, describe: 'Run it even if the same job was run before' },
  force: { type: 'boolean', default: false, describe: 'Replace what is where the results go' },
  detach: { type: 'boolean', default: false, describe: 'Do not wait for the job; its results are kept at the worker' },
  'on-interrupt': {
    choices: ['detach', 'cancel'],
    describe: 'What Ctrl+C does to the job [asked on a terminal, else detach]',
  },
  ...{ limit, nice, compress },
} as const satisfies ArgumentSpecs;
