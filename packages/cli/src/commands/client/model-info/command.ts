import { defineCommand } from '../../../command-line/types.ts';
import { networkOptions, workerOption } from '../../connect.ts';
import { localModel } from '../../options.ts';

export const modelInfo = defineCommand({
  usage: 'model-info <ref>',
  describe: 'Show everything known about a model, on this machine or at a worker',
  positionals: { ref: localModel },
  options: { worker: workerOption, ...networkOptions },
  examples: [
    ['$0 client model-info good-mouse-v1', 'by its alias'],
    ['$0 client model-info good-mouse-v1 --worker lab', 'as a saved worker has it now'],
  ],
  async run(context, options) {
    const { runModelInfo } = await import('./run.ts');
    await runModelInfo(context, { ...options, session: options.worker });
  },
});
