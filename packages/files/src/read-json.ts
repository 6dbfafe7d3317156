import { readFile } from 'node:fs/promises';
import { parseJson } from '@model-rtc/protocol';

/** What a small file of JSON says; undefined for one that is missing, cannot be read or is damaged. */
export async function readJson(path: string): Promise<unknown> {
  return parseJson(await readFile(path, 'utf8').catch(() => ''));
}
