import { at, type Document, isObject } from '../../documents/scalars.ts';

/** What a tokenizer's file is found to be. */
export interface TokenizerFacts {
  readonly kind: string;
  readonly tokens: number;
  /** The largest id of a token that texts are cut into; -1 when there is none. */
  readonly largestId: number;
  /** The largest id of those that were added for a purpose. */
  readonly largestAddedId: number;
  /** As ends of sentences. */
  readonly problems: readonly string[];
}

const MODELS = new Set(['BPE', 'Unigram', 'WordPiece', 'WordLevel']);
const SHOWN_CHARS = 32;

/** Looks at a `tokenizer.json`: its model, words, merges and added tokens. Source: tokenizers, `models/*`, `added_vocabulary.rs`. */
export function readTokenizerJson(json: Document): TokenizerFacts {
  const model = at(json, 'model');
  const problems: string[] = [];
  const said = at(model, 'type');
  const vocabulary = readVocabulary(at(model, 'vocab'), problems);
  // Older files say nothing: merges make it BPE, scores Unigram.
  const guessed = Array.isArray(at(model, 'merges'))
    ? 'BPE'
    : Array.isArray(at(model, 'vocab'))
      ? 'Unigram'
      : undefined;
  const kind = typeof said === 'string' ? said : (guessed ?? 'WordPiece');
  if (!MODELS.has(kind)) problems.push(`its model is of the kind ${quoted(kind)}, which does not exist`);
  if (vocabulary.size === 0) problems.push('it has no vocabulary');
  if (kind === 'BPE') checkMerges(at(model, 'merges'), vocabulary, problems);
  const unknown = at(model, 'unk_id');
  if (kind === 'Unigram' && typeof unknown === 'number' && unknown >= vocabulary.size) {
    problems.push(`the id ${unknown} for what it does not know is beyond its vocabulary`);
  }
  const largestAddedId = checkAdded(at(json, 'added_tokens'), vocabulary, problems);
  let largestId = -1;
  for (const id of vocabulary.values()) largestId = Math.max(largestId, id);
  return { kind, tokens: Math.max(vocabulary.size, largestAddedId + 1), largestId, largestAddedId, problems };
}

/** Words with their ids: an object says them, in a list the place is the id. */
export function readVocabulary(vocabulary: unknown, problems: string[]): ReadonlyMap<string, number> {
  const words = new Map<string, number>();
  let bad = 0;
  if (Array.isArray(vocabulary)) {
    for (const [id, item] of (vocabulary as unknown[]).entries()) {
      const word: unknown = Array.isArray(item) ? (item as unknown[])[0] : undefined;
      if (typeof word === 'string') words.set(word, id);
      else bad++;
    }
  } else if (isObject(vocabulary)) {
    for (const [word, id] of Object.entries(vocabulary)) {
      if (isId(id)) words.set(word, id);
      else bad++;
    }
  }
  if (bad > 0) problems.push(`${bad} of its words have no id`);
  const twice = words.size - new Set(words.values()).size;
  if (twice > 0) problems.push(`${twice} of its words have the id of another word`);
  return words;
}

function checkMerges(merges: unknown, vocabulary: ReadonlyMap<string, number>, problems: string[]): void {
  if (!Array.isArray(merges)) {
    problems.push('it has no merges');
    return;
  }
  let bad = 0;
  let first: string | undefined;
  for (const merge of merges as unknown[]) {
    const parts: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    const isRight =
      Array.isArray(parts) &&
      parts.length === 2 &&
      [parts[0], parts[1], `${parts[0]}${parts[1]}`].every((word: unknown) => vocabulary.has(String(word)));
    if (isRight) continue;
    bad++;
    first ??= JSON.stringify(merge);
  }
  if (bad > 0)
    problems.push(`${bad} of its merges have words that are not in its vocabulary, such as ${quoted(first)}`);
}

/** @returns the largest id of an added token */
function checkAdded(added: unknown, vocabulary: ReadonlyMap<string, number>, problems: string[]): number {
  let largest = -1;
  const byId = new Map<number, string>();
  for (const token of Array.isArray(added) ? (added as unknown[]) : []) {
    const [id, content] = [at(token, 'id'), at(token, 'content')];
    if (!isId(id) || typeof content !== 'string') {
      problems.push('an added token has no id or no content');
      continue;
    }
    largest = Math.max(largest, id);
    const known = vocabulary.get(content);
    if (known !== undefined && known !== id) {
      problems.push(`the added token ${quoted(content)} has the id ${id}, and ${known} in the vocabulary`);
    }
    const other = byId.get(id);
    if (other !== undefined && other !== content) {
      problems.push(`the added tokens ${quoted(other)} and ${quoted(content)} have the same id ${id}`);
    }
    byId.set(id, content);
  }
  return largest;
}

export function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function quoted(text: string | undefined): string {
  return JSON.stringify((text ?? '').slice(0, SHOWN_CHARS));
}
