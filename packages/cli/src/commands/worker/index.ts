import type { CommandGroup } from '../../command-line/types.ts';
import { listWorkerModels } from './list-models.ts';
import { sessions } from './sessions.ts';
import { start } from './start/command.ts';

export const worker: CommandGroup = {
  name: 'worker',
  describe: "Serve this machine's models, or list those of another worker",
  commands: [start, listWorkerModels, sessions],
  examples: [],
};
