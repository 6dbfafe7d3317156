import { ModelRtcError, type SessionToken } from '@model-rtc/protocol';
import type { Context } from './context.ts';
import { isTokenText } from './format.ts';
import { type BestNode, isBestText, isMeshText, meshSession } from './mesh-reference.ts';
import { readSecretFile } from './secret-file.ts';

/** A token's file holds one line; anything longer is some other file. */
const TOKEN_FILE = {
  what: 'session',
  maxBytes: 8192,
  madeBy: 'model-rtc worker --token-file',
  instead: 'the session itself in MODEL_RTC_SESSION',
} as const;
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

/**
 * Refuses conditions on a node where nobody asked for the best one: they would be passed over in silence.
 * @param sessions - as a person wrote them, or the environment has them
 * @throws ModelRtcError `bad_argument`
 */
export function requireBest(
  { where, best }: Pick<BestNode, 'where' | 'best'>,
  sessions: readonly (string | undefined)[],
): void {
  if (where === undefined && best === undefined) return;
  if (sessions.some((text) => text !== undefined && isBestText(text))) return;
  const sentence =
    '--where and --best choose among the nodes of a mesh. Pass --worker mesh:best with them, or leave them out.';
  throw new ModelRtcError('bad_argument', sentence);
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
  if (given.startsWith('@') && !isTokenText(given))
    return parseSessionToken(await readSecretFile(given.slice(1), TOKEN_FILE));
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
