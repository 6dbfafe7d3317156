import { text } from './arguments.ts';
import { defineModelsCommand } from './types.ts';

export const key = defineModelsCommand({
  usage: 'key',
  describe: 'Print the public key that publish signs with, for readers to pin',
  positionals: {},
  options: { 'sign-key': text("That of this file, instead of this machine's") },
  examples: [['$0 key', 'tell your readers: models pull ... --trust-key KEY']],
  async run(context, { signKey }) {
    const manager = await context.manager(undefined);
    const found = await manager.publicKey(signKey);
    context.result({ key: found }, found);
  },
});
