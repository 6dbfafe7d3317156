import { ModelRtcError } from '@model-rtc/protocol';
import type { StoredEntry } from './types.ts';

/** The limits of `modelEntrySchema`. */
export const MAX_TAGS = 64;
const MAX_TAG_LENGTH = 64;
/** Notes are a remark in a list. Those of a model that comes from elsewhere may be longer. */
const MAX_NOTES_LENGTH = 1000;

/** The rule that a text breaks, as the end of a sentence; undefined when it can be a tag. */
export function tagProblem(tag: string): string | undefined {
  if (tag.trim() === '') return 'a tag has at least 1 character';
  if (tag.length > MAX_TAG_LENGTH) return `a tag has at most ${MAX_TAG_LENGTH} characters`;
  return /^[\p{L}\p{M}\p{N}_-]+$/u.test(tag) ? undefined : 'a tag is made of letters, digits, "_" and "-"';
}

/** @throws ModelRtcError `bad_argument` */
export function requireTags(tags: readonly string[]): void {
  for (const tag of tags) {
    const problem = tagProblem(tag);
    if (problem === undefined) continue;
    const suggestion = suggestTag(tag);
    const advice = suggestion === '' ? '' : ` Try "${suggestion}".`;
    throw new ModelRtcError('bad_argument', `${JSON.stringify(tag)} cannot be a tag: ${problem}.${advice}`, {
      details: { tag },
    });
  }
}

function suggestTag(text: string): string {
  return text
    .replace(/[^\p{L}\p{M}\p{N}_-]+/gu, '-')
    .replace(/^-+/, '')
    .slice(0, MAX_TAG_LENGTH)
    .replace(/-+$/, '');
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
  const length = notes?.length ?? 0;
  if (length <= MAX_NOTES_LENGTH) return;
  const sentence = `Notes have at most 1,000 characters, and these have ${length.toLocaleString('en')}. Shorten them, or put them into a file of the model, such as README.md.`;
  throw new ModelRtcError('bad_argument', sentence);
}
