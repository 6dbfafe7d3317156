import { parseJson } from '@model-rtc/protocol';
import type { CheckedFile } from './types.ts';

/** An index of 100,000 tensors takes some 10 MB. */
const MAX_INDEX_BYTES = 32 * 1024 * 1024;

/** A JSON file of a model; undefined when it is too large or broken. Throws what reading it throws. */
export async function readJson(file: CheckedFile, maxBytes = MAX_INDEX_BYTES): Promise<unknown> {
  if (file.size > maxBytes) return undefined;
  const bytes = await file.withReader(async (reader) => await reader.read(0, reader.size));
  return parseJson(new TextDecoder().decode(bytes));
}
