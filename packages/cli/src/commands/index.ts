import { type CommandGroup, PROGRAM } from '../command-line/types.ts';
import { client } from './client/index.ts';
import { completion } from './completion/command.ts';
import { demo } from './demo/command.ts';
import { settings } from './settings.ts';
import { signaling } from './signaling.ts';
import { worker } from './worker/index.ts';

/** All commands: the parser, the reference page and the completion of shells are made from them. */
export const COMMANDS: CommandGroup = {
  name: PROGRAM,
  describe: 'Moves machine-learning models directly between two machines.',
  commands: [worker, client, signaling, settings, completion, demo],
  examples: [
    ['$0 worker', 'serve the models of this machine, and print a session'],
    ['$0 client pull-model good-mouse-v1 --worker SESSION', 'fetch a model'],
    ['$0 client push-model legacy-rat --worker SESSION', 'send a model'],
  ],
};
