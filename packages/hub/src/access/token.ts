import { readFile, stat } from 'node:fs/promises';
import { isMissing, storageError } from '@model-rtc/files';
import { ModelRtcError } from '@model-rtc/protocol';
import { MAX_TOKEN_FILE_BYTES } from '../limits.ts';
import type { HubSettings } from './settings.ts';

/** Visible ASCII: what a header can carry. */
const TOKEN = /^[\x21-\x7e]{1,1024}$/;

export interface TokenOptions {
  /** A token that a person typed. */
  readonly token?: string | undefined;
  /** A file that a person named. */
  readonly tokenFile?: string | undefined;
}

/**
 * Finds the access token: the one that a person gave, then the environment's, then that of the hub's own tools.
 * @returns undefined when there is none
 * @throws ModelRtcError `not_found_locally`, `storage`; `bad_argument` for what is no token. The message never has it.
 */
export async function findToken(given: TokenOptions, settings: HubSettings): Promise<string | undefined> {
  if (given.token !== undefined) return checked(given.token, 'What you typed');
  if (given.tokenFile !== undefined) {
    const text = await readToken(given.tokenFile);
    if (text !== undefined) return checked(text, `The file ${given.tokenFile}`);
    const sentence = `There is no file ${given.tokenFile}. Pass the file that has your access token.`;
    throw new ModelRtcError('not_found_locally', sentence);
  }
  if (settings.token !== undefined) return checked(settings.token, 'HF_TOKEN');
  const saved = settings.tokenPath === undefined ? undefined : await readToken(settings.tokenPath);
  return saved === undefined || saved.trim() === '' ? undefined : checked(saved, `The file ${settings.tokenPath}`);
}

async function readToken(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > MAX_TOKEN_FILE_BYTES) return ' no token';
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw storageError(error, path, 'read');
  }
}

function checked(text: string, where: string): string {
  const token = text.trim();
  if (TOKEN.test(token)) return token;
  throw new ModelRtcError('bad_argument', `${where} holds no access token of a hub. It is one word, like hf_....`);
}
