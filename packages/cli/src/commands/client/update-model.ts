import { ModelRtcError } from '@model-rtc/protocol';
import { defineCommand, flagOption, textOption } from '../../command-line/types.ts';
import { formatModel, printable } from '../../console/format.ts';
import { localModel } from '../options.ts';

export const updateModel = defineCommand({
  usage: 'update-model <ref>',
  describe: 'Change the notes and tags of a model on this machine',
  positionals: { ref: localModel },
  options: {
    notes: textOption('Its new notes, at most 1,000 characters; "" removes them', { nargs: 1 }),
    'add-tag': textOption('A tag to add; may be given several times', { array: true, nargs: 1 }),
    'remove-tag': textOption('A tag to remove; may be given several times', { array: true, nargs: 1 }),
    'clear-tags': flagOption('Remove all tags first'),
  },
  examples: [
    ['$0 client update-model good-mouse-v1 --notes "cage 4, 30 Hz" --add-tag mouse', 'notes and a tag'],
    ['$0 client update-model 4f1c22ab --clear-tags --add-tag final', 'replace all tags'],
  ],
  async run(context, { ref, notes, addTag = [], removeTag = [], clearTags }) {
    if (notes === undefined && addTag.length === 0 && removeTag.length === 0 && !clearTags) {
      const sentence = 'Nothing to change. Pass --notes TEXT, --add-tag TAG, --remove-tag TAG or --clear-tags.';
      throw new ModelRtcError('bad_argument', sentence);
    }
    const registry = await context.registry();
    const entry = await registry.update(ref, { notes, addTags: addTag, removeTags: removeTag, clearTags });
    const tags = entry.tags.length === 0 ? 'no tags' : `tags ${entry.tags.map(printable).join(', ')}`;
    const noted = entry.notes === undefined ? 'no notes' : `notes: ${printable(entry.notes)}`;
    context.output.result({ entry }, `${formatModel(entry)}: ${tags}; ${noted}`);
  },
});
