import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { requireName } from '../entry/full-names.ts';
import { resolveNamed } from '../entry/resolve.ts';
import { joinTags, MAX_TAGS, requireNotes, requireTags } from '../entry/tags.ts';
import type { StoredEntry } from '../entry/types.ts';
import type { ImportOptions } from './types.ts';

/** What a person says of a model while bringing it in. */
export type EntryAdditions = Partial<Pick<StoredEntry, 'name' | 'tags' | 'notes' | 'lineage'>>;

/**
 * Checks what was said of a model, before hours of hashing.
 * @throws ModelRtcError `bad_argument`; what `resolveRef` throws for a parent that is not here
 */
export async function readAdditions(
  context: RegistryContext,
  { name, tags = [], notes, parent }: Pick<ImportOptions, 'name' | 'tags' | 'notes' | 'parent'>,
): Promise<EntryAdditions> {
  requireTags(tags);
  const unique = [...new Set(tags)];
  if (unique.length > MAX_TAGS) {
    throw new ModelRtcError('bad_argument', `A model has at most ${MAX_TAGS} tags; ${unique.length} are too many.`);
  }
  requireName(name);
  requireNotes(notes);
  return { name, tags: unique, notes: notes || undefined, lineage: await lineageOf(context, parent) };
}

/** The digest says which model it was for good; the name is for people. */
async function lineageOf(context: RegistryContext, parent: string | undefined): Promise<StoredEntry['lineage']> {
  if (parent === undefined) return undefined;
  const { stored } = await resolveNamed(context, await context.index.read(), parent);
  if (stored.digest === undefined) {
    const sentence = `"${parent}" is still training, so it is no one's parent yet. Give --parent when it is done.`;
    throw new ModelRtcError('busy', sentence, { details: { parent } });
  }
  return { parents: [stored.digest], fineTunedFrom: stored.alias ?? stored.id };
}

/** What was said of a model before, with what is said of it now: tags are joined, everything else that is said replaces. */
export function joinAdditions(
  before: EntryAdditions | undefined,
  now: EntryAdditions,
): EntryAdditions & { readonly tags: string[] } {
  return {
    name: now.name ?? before?.name,
    tags: [...new Set([...(before?.tags ?? []), ...(now.tags ?? [])])],
    notes: now.notes ?? before?.notes,
    lineage: now.lineage ?? before?.lineage,
  };
}

/** @throws ModelRtcError `bad_argument` when a model was said to be made from itself */
export function requireNotOwnParent(digest: Digest, { lineage }: EntryAdditions): void {
  if (!lineage?.parents?.includes(digest)) return;
  const sentence = `"${lineage.fineTunedFrom}" is this very model, file by file, so it cannot be its parent. Leave --parent out, or name another one.`;
  throw new ModelRtcError('bad_argument', sentence, { details: { digest } });
}

/** An entry with what was said of its model added. @throws ModelRtcError `bad_argument` when there are too many tags */
export function withAdditions(stored: StoredEntry, additions: EntryAdditions): StoredEntry {
  const tags = joinTags(stored, stored.tags, additions.tags ?? []);
  return { ...stored, ...joinAdditions(stored, additions), tags };
}
