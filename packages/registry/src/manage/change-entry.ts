import { join } from 'node:path';
import { type Alias, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { renamed } from '../entry/aliases.ts';
import { notFoundLocally, resolveNamed } from '../entry/resolve.ts';
import type { StoredEntry } from '../entry/types.ts';
import { updateEntryNote } from '../store/model-notes.ts';
import type { ModelChanges } from './types.ts';

/** As the protocol's entry has room for: see `modelEntrySchema`. */
const MAX_TAGS = 64;
const MAX_TAG_LENGTH = 64;
const MAX_NOTES_LENGTH = 65_536;

/** Changes what a person said of a model. */
export async function updateModel(context: RegistryContext, ref: string, changes: ModelChanges): Promise<StoredEntry> {
  checkChanges(changes);
  const { index, paths } = context;
  return await index.update(async (known) => {
    const { stored } = await resolveNamed(context, known, ref);
    const changed = withChanges(stored, changes);
    await updateEntryNote(join(paths.models, changed.folder), changed);
    return { result: changed, put: [changed] };
  });
}

/** Takes an alias from the model that has it. */
export async function untagModel({ index, paths, now }: RegistryContext, alias: string): Promise<StoredEntry> {
  return await index.update(async (known) => {
    const owner = known.byAlias.get(alias as Alias);
    if (owner === undefined) throw notFoundLocally(known, alias);
    const nameless = renamed(owner, undefined, now());
    await updateEntryNote(join(paths.models, nameless.folder), nameless);
    return { result: nameless, put: [nameless] };
  });
}

function checkChanges({ notes = '', addTags = [] }: ModelChanges): void {
  if (notes.length > MAX_NOTES_LENGTH) {
    throw new ModelRtcError('bad_argument', `Notes have at most ${MAX_NOTES_LENGTH} characters; shorten them.`);
  }
  for (const tag of addTags) {
    const problem = tagProblem(tag);
    if (problem === undefined) continue;
    throw new ModelRtcError('bad_argument', `${JSON.stringify(tag)} cannot be a tag: ${problem}.`, {
      details: { tag },
    });
  }
}

/** The rule that a text breaks as a sentence's end, or undefined when it can be a tag. */
export function tagProblem(tag: string): string | undefined {
  if (tag.trim() === '') return 'a tag has at least 1 character';
  if (tag !== tag.trim()) return 'a tag does not start or end with a space';
  if (tag.length > MAX_TAG_LENGTH) return `a tag has at most ${MAX_TAG_LENGTH} characters`;
  if (/\p{Cc}/u.test(tag)) return 'a tag has no control characters';
  return undefined;
}

/** Tags are cleared first, then removed, then added: what is added is there afterwards. */
function withChanges(
  stored: StoredEntry,
  { notes, addTags = [], removeTags = [], clearTags = false }: ModelChanges,
): StoredEntry {
  const left = clearTags ? [] : stored.tags.filter((tag) => !removeTags.includes(tag));
  const tags = [...new Set([...left, ...addTags])];
  if (tags.length > MAX_TAGS) {
    const sentence = `A model has at most ${MAX_TAGS} tags, and ${stored.alias ?? stored.id} would have ${tags.length}. Remove some.`;
    throw new ModelRtcError('bad_argument', sentence);
  }
  return { ...stored, tags, notes: notes === undefined ? stored.notes : notes === '' ? undefined : notes };
}
