import { stat } from 'node:fs/promises';
import { ModelRtcError, type SessionToken } from '@model-rtc/protocol';
import type { Context } from './context.ts';
import { isTokenText } from './format.ts';
import { type BestNode, isMeshText, meshSession } from './mesh-reference.ts';

/** A token's file holds one line; anything longer is some other file. */
const MAX_TOKEN_FILE_BYTES = 8192;
/** A longer text may be a part of a token, which no message may repeat. */
const MAX_SHOWN_CHARS = 20;

/**
 * The session that a person named, or else the one in the environment.
 *
 * @param wanted - which node `mesh:best` names
 *
 * @throws ModelRtcError `bad_argument` when there is none, or it is not valid.
 */
export async function sessionToken(
  context: Context,
  given: string | undefined,
  wanted?: BestNode,
): Promise<SessionToken> {
  const { runtime, home } = context;
  const text = given ?? runtime.env.MODEL_RTC_SESSION;
  if (text === undefined || text.trim() === '') {
    throw new ModelRtcError(
      'bad_argument',
      'Which worker? Pass --worker with a session token, a saved name, @FILE or mesh:NODE, or set MODEL_RTC_SESSION.',
    );
  }
  return isMeshText(text) ? await meshSession(context, text, wanted) : await parseSession(text, home);
}

/** The key of a session's worker, as seen and saved workers have it. @throws like `sessionToken` */
export async function workerKeyOf(context: Context, session: string | undefined): Promise<string> {
  return Buffer.from((await sessionToken(context, session)).workerKey).toString('hex');
}

/**
 * Reads a session as a person writes it: a token, `@FILE` with a token in it, or a name saved in the data folder.
 *
 * @throws ModelRtcError `bad_argument` when it is none of these; its message never repeats a secret.
 */
export async function parseSession(text: string, home: string): Promise<SessionToken> {
  const { parseSessionToken } = await import('@model-rtc/protocol');
  const given = text.trim();
  if (given.startsWith('@') && !isTokenText(given)) return parseSessionToken(await readTokenFile(given.slice(1)));
  if (isTokenText(given)) return parseSessionToken(given);
  const { SavedWorkers } = await import('./saved-workers.ts');
  const saved = (await SavedWorkers.open(home)).find(given);
  if (saved !== undefined) return parseSessionToken(saved);
  const shown = given.length <= MAX_SHOWN_CHARS ? ` "${given}"` : '';
  throw new ModelRtcError(
    'bad_argument',
    `The session${shown} is neither a token (mrtc1_...), a saved name, @FILE, nor mesh:NODE. See the saved ones: model-rtc client workers list.`,
  );
}

async function readTokenFile(path: string): Promise<string> {
  const bytes = await firstBytes(path).catch((error: unknown) => {
    throw ModelRtcError.because(
      error,
      'bad_argument',
      `Cannot read the session file "${path}". Pass @FILE with the file that \`model-rtc worker --token-file\` wrote.`,
    );
  });
  if (bytes === undefined)
    throw new ModelRtcError(
      'bad_argument',
      `"${path}" is not a file. Pass @FILE with a file, or the session itself in MODEL_RTC_SESSION.`,
    );
  if (bytes.length > MAX_TOKEN_FILE_BYTES)
    throw new ModelRtcError('bad_argument', `"${path}" is too long to be a session file.`);
  return decoded(bytes);
}

/** A token is ASCII, but some editors and shells save text as UTF-16 with a byte order mark. */
function decoded(bytes: Buffer): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return bytes.subarray(2).toString('utf16le');
  if (first === 0xfe && second === 0xff) {
    const even = bytes.subarray(2, bytes.length - (bytes.length % 2));
    return Buffer.from(even).swap16().toString('utf16le');
  }
  return bytes.toString('utf8');
}

/** No more than shows that the file is too long; undefined for what is no file: a pipe or a device may make the command wait for ever. */
async function firstBytes(path: string): Promise<Buffer | undefined> {
  if (!(await stat(path)).isFile()) return undefined;
  const { openToRead } = await import('@model-rtc/files');
  const file = await openToRead(path, true);
  try {
    const { bytesRead, buffer } = await file.read(
      Buffer.alloc(MAX_TOKEN_FILE_BYTES + 1),
      0,
      MAX_TOKEN_FILE_BYTES + 1,
      0,
    );
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
