import { defineCommand } from '../../command-line/types.ts';
import { formatModel } from '../../console/format.ts';
import { localModel } from '../options.ts';

export const pin = defineCommand({
  usage: 'pin <ref>',
  describe: 'Keep a model from being removed when storage.cap needs room',
  positionals: { ref: localModel },
  examples: [['$0 client pin 4f1c22ab', 'a model without an alias stays all the same']],
  async run(context, { ref }) {
    const entry = await (await context.registry()).update(ref, { pinned: true });
    context.output.result({ entry }, `${formatModel(entry)} is pinned: it is never removed to make room.`);
  },
});

export const unpin = defineCommand({
  usage: 'unpin <ref>',
  describe: 'Let a model go again when storage.cap needs room',
  positionals: { ref: localModel },
  examples: [['$0 client unpin 4f1c22ab', 'it may go when it is not used for long']],
  async run(context, { ref }) {
    const entry = await (await context.registry()).update(ref, { pinned: false });
    const why = entry.alias === undefined ? 'it may be removed to make room' : 'its alias still keeps it';
    context.output.result({ entry }, `${formatModel(entry)} is no longer pinned: ${why}.`);
  },
});
