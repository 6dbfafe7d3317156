import { parseNameRef } from '../reference.ts';
import { modelArgument, versionArgument } from './arguments.ts';
import { defineModelsCommand } from './types.ts';

export const path = defineModelsCommand({
  usage: 'path <model> <model-version>',
  describe: 'Print the folder with the files of an installed version, and nothing else',
  positionals: { model: modelArgument, 'model-version': versionArgument },
  options: {},
  examples: [['$0 path fast-whisper/tiny fp16', 'for scripts']],
  async run(context, { model, modelVersion: version }) {
    const manager = await context.manager(undefined);
    const found = await manager.path({ ...parseNameRef(model), version });
    context.result({ path: found }, found);
  },
});
