import { ModelRtcError, modelEntrySchema } from '@model-rtc/protocol';
import type { StoredEntry } from './types.ts';

/** The limits of `modelEntrySchema`. */
const MAX_TAGS = 64;
const MAX_TAG_LENGTH = 64;

/** The rule that a text breaks, as the end of a sentence; undefined when it can be a tag. */
export function tagProblem(tag: string): string | undefined {
  if (tag.trim() === '') return 'a tag has at least 1 character';
  if (tag !== tag.trim()) return 'a tag does not start or end with a space';
  if (tag.length > MAX_TAG_LENGTH) return `a tag has at most ${MAX_TAG_LENGTH} characters`;
  if (/\p{Cc}/u.test(tag)) return 'a tag has no control characters';
  return undefined;
}

/** @throws ModelRtcError `bad_argument` */
export function requireTags(tags: readonly string[]): void {
  for (const tag of tags) {
    const problem = tagProblem(tag);
    if (problem === undefined) continue;
    throw new ModelRtcError('bad_argument', `${JSON.stringify(tag)} cannot be a tag: ${problem}.`, {
      details: { tag },
    });
  }
}

/**
 * A model's tags with more added, each once.
 * @throws ModelRtcError `bad_argument` when the model would have too many
 */
export function joinTags({ id, alias }: StoredEntry, tags: readonly string[], added: readonly string[]): string[] {
  const joined = [...new Set([...tags, ...added])];
  if (joined.length <= MAX_TAGS) return joined;
  const sentence = `A model has at most ${MAX_TAGS} tags, and ${alias ?? id} would have ${joined.length}. Remove some: model-rtc client update-model --remove-tag.`;
  throw new ModelRtcError('bad_argument', sentence);
}

/** @throws ModelRtcError `bad_argument` */
export function requireNotes(notes: string | undefined): void {
  if (modelEntrySchema.shape.notes.safeParse(notes).success) return;
  throw new ModelRtcError('bad_argument', 'Notes have at most 65,536 characters. Shorten them.');
}
