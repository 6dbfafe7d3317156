import { ModelRtcError } from '@model-rtc/protocol';
import type { Context } from '../console/context.ts';
import { printable } from '../console/format.ts';
import { nameOf } from './model-name.ts';

export interface UpdateModelOptions {
  readonly ref: string;
  readonly notes?: string | undefined;
  readonly addTag?: readonly string[] | undefined;
  readonly removeTag?: readonly string[] | undefined;
  readonly clearTags: boolean;
}

export async function updateModel(context: Context, options: UpdateModelOptions): Promise<void> {
  const { ref, notes, addTag = [], removeTag = [], clearTags } = options;
  if (notes === undefined && addTag.length === 0 && removeTag.length === 0 && !clearTags) {
    const sentence = 'Say what to change: --notes TEXT, --add-tag TAG, --remove-tag TAG or --clear-tags.';
    throw new ModelRtcError('bad_argument', sentence);
  }
  const registry = await context.registry();
  const changes = { notes, addTags: addTag, removeTags: removeTag, clearTags };
  const entry = await registry.update(ref, changes);
  const tags = entry.tags.length === 0 ? 'no tags' : `tags ${entry.tags.map(printable).join(', ')}`;
  const noted = entry.notes === undefined ? 'no notes' : `notes: ${printable(entry.notes)}`;
  context.output.result({ entry }, `${nameOf(entry)}: ${tags}; ${noted}`);
}
