import { open } from 'node:fs/promises';
import { ModelRtcError, parseSessionToken, type SessionToken } from '@model-rtc/protocol';

/** A token's file holds one line; anything longer is some other file. */
const MAX_TOKEN_FILE_BYTES = 8192;
/** A longer text may be a part of a token, which no message may repeat. */
const MAX_SHOWN_CHARS = 20;
const TOKEN_START = /^mrtc\d+_/;

export interface SessionArgumentOptions {
  /** Looks up a saved name. */
  readonly findSaved: (name: string) => Promise<string | undefined>;
}

/**
 * The session that a person names: a token, `@FILE` with a token in it, or a saved name.
 *
 * @throws ModelRtcError `bad_argument` when it is none of these; its message never repeats a secret.
 */
export async function parseSessionArgument(text: string, { findSaved }: SessionArgumentOptions): Promise<SessionToken> {
  const given = text.trim();
  if (given.startsWith('@') && !TOKEN_START.test(given.slice(1)))
    return parseSessionToken(await readTokenFile(given.slice(1)));
  if (TOKEN_START.test(given)) return parseSessionToken(given);
  const saved = await findSaved(given);
  if (saved !== undefined) return parseSessionToken(saved);
  const shown = given.length <= MAX_SHOWN_CHARS ? ` "${given}"` : '';
  throw new ModelRtcError(
    'bad_argument',
    `The session${shown} is neither a token (mrtc1_...), a saved name, nor @FILE. See the saved ones: model-rtc client workers list.`,
  );
}

async function readTokenFile(path: string): Promise<string> {
  let text: string;
  try {
    text = await readStart(path, MAX_TOKEN_FILE_BYTES + 1);
  } catch (error) {
    throw ModelRtcError.because(
      error,
      'bad_argument',
      `The session file "${path}" cannot be read. Give @FILE with the file that \`model-rtc worker --token-file\` wrote.`,
    );
  }
  if (text.length > MAX_TOKEN_FILE_BYTES)
    throw new ModelRtcError('bad_argument', `"${path}" is too long to be a session file.`);
  return text.trim();
}

async function readStart(path: string, maxBytes: number): Promise<string> {
  const file = await open(path, 'r');
  try {
    const start = Buffer.alloc(maxBytes);
    let length = 0;
    // A pipe gives what it has, piece by piece.
    for (let bytesRead = -1; bytesRead !== 0 && length < maxBytes; length += bytesRead) {
      ({ bytesRead } = await file.read(start, length, maxBytes - length));
    }
    return start.toString('latin1', 0, length);
  } finally {
    await file.close();
  }
}
