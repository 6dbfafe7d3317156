import { ModelRtcError } from '@model-rtc/protocol';
import type { MeshProperty } from '../../types.ts';
import { MAX_OWN_PROPERTIES, MAX_PROPERTY_CHARS, MAX_TAG_CHARS, MAX_TAGS } from '../limits.ts';
import { lineSchema } from '../record.ts';

/**
 * Checks what a person lets a node say of itself: members refuse a catalog with anything else, and all that is in it.
 * @throws ModelRtcError `bad_argument` that names the option
 */
export function requireOwnWords(tags: readonly string[], properties: Readonly<Record<string, MeshProperty>>): void {
  if (tags.length > MAX_TAGS) throw badWords(`--tag can be given ${MAX_TAGS} times at most.`);
  const isTag = (tag: string): boolean => lineSchema(MAX_TAG_CHARS).safeParse(tag).success;
  const tag = tags.find((one) => !isTag(one));
  if (tag !== undefined)
    throw badWords(`--tag takes 1 to ${MAX_TAG_CHARS} characters that can be shown in a line, not ${shown(tag)}.`);
  const all = Object.entries(properties);
  if (all.length > MAX_OWN_PROPERTIES) throw badWords(`--property can be given ${MAX_OWN_PROPERTIES} times at most.`);
  const isText = (value: MeshProperty): boolean =>
    typeof value !== 'string' || lineSchema(MAX_PROPERTY_CHARS).safeParse(value).success;
  const [name] = all.find(([, value]) => !isText(value)) ?? [];
  if (name !== undefined)
    throw badWords(
      `--property ${name} takes a value of 1 to ${MAX_PROPERTY_CHARS} characters that can be shown in a line.`,
    );
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, MAX_TAG_CHARS)).replace(/[^\x20-\x7e]/g, '?');
}

function badWords(sentence: string): ModelRtcError {
  return new ModelRtcError('bad_argument', sentence);
}
