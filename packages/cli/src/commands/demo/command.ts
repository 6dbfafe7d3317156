import { defineCommand } from '../../command-line/types.ts';

export const demo = defineCommand({
  usage: 'demo',
  describe: 'Move a model between two agents on this machine, each command as its own process',
  options: {
    model: { type: 'string', describe: 'A model of your own: a folder or a weights file', completes: 'files' },
  },
  examples: [['$0 demo --model ./runs/mouse', 'with your own model']],
  async run(context, { model }) {
    const { runDemo } = await import('./run.ts');
    await runDemo(context, model);
  },
});
