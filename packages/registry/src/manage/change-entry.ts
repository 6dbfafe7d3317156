import { join } from 'node:path';
import type { RegistryContext } from '../context.ts';
import { resolveNamed } from '../entry/resolve.ts';
import { joinTags, requireNotes, requireTags } from '../entry/tags.ts';
import type { StoredEntry } from '../entry/types.ts';
import { updateEntryNote } from '../store/model-notes.ts';
import type { ModelChanges } from './types.ts';

/** Changes a person's notes and tags of a model. */
export async function updateModel(context: RegistryContext, ref: string, changes: ModelChanges): Promise<StoredEntry> {
  requireTags(changes.addTags ?? []);
  requireNotes(changes.notes);
  const { index, paths } = context;
  return await index.update(async (known) => {
    const { stored } = await resolveNamed(context, known, ref);
    const changed = withChanges(stored, changes);
    await updateEntryNote(join(paths.models, changed.folder), changed);
    return { result: changed, put: [changed] };
  });
}

/** Clears tags first, then removes, then adds, so what is added is there afterwards. */
function withChanges(
  stored: StoredEntry,
  { notes, addTags = [], removeTags = [], clearTags = false }: ModelChanges,
): StoredEntry {
  const left = clearTags ? [] : stored.tags.filter((tag) => !removeTags.includes(tag));
  const tags = joinTags(stored, left, addTags);
  return { ...stored, tags, notes: notes === undefined ? stored.notes : notes === '' ? undefined : notes };
}
