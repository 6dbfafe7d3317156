import type { Document } from '../../documents/scalars.ts';

/** Short, so that a pattern that tries many ways does not take for ever; with what tokenizers treat differently. */
const TEXT = 'Hello world! 123 äß 你好';

/**
 * Loads a tokenizer with the library that loads them in JavaScript, and cuts a text with it.
 * @returns what went wrong, as the end of a sentence
 */
export async function loadAndTry(json: Document, settings: Document): Promise<string | undefined> {
  const { Tokenizer } = await import('@huggingface/tokenizers');
  try {
    const tokenizer = new Tokenizer(json, settings);
    const { ids } = tokenizer.encode(TEXT);
    if (ids.length === 0) return 'it cuts a text into no tokens';
    tokenizer.decode(ids);
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return `it does not load: ${reason.slice(0, 200)}`;
  }
}
