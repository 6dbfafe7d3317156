import { writeFileAtomic } from '@model-rtc/files';
import { ModelRtcError, SCOPES, type Scope, scopeSchema } from '@model-rtc/protocol';
import { loadIdentity, SessionStore } from '@model-rtc/worker';
import type { Context } from '../console/context.ts';
import { parseDuration } from '../console/duration.ts';
import { formatTime } from '../console/format.ts';
import { renderTable } from '../console/table.ts';

async function openSessions(context: Context): Promise<SessionStore> {
  const { paths } = await context.registry();
  const identity = await loadIdentity(paths.keys);
  return new SessionStore({ keysFolder: paths.keys, workerKey: identity.publicKey });
}

export async function listSessions(context: Context): Promise<void> {
  const sessions = (await openSessions(context)).list();
  if (sessions.length === 0)
    context.output.note('No sessions yet. Start the worker, or: model-rtc worker sessions create');
  const text = renderTable(
    sessions,
    [
      { title: 'KEY ID', value: (session) => session.keyId },
      { title: 'NAME', value: (session) => session.name },
      { title: 'SCOPES', value: (session) => session.scopes.join(',') },
      { title: 'STATE', value: (session) => session.status },
      { title: 'EXPIRES', value: (session) => formatTime(session.expiresAt) || 'never' },
      { title: 'CREATED', value: (session) => formatTime(session.createdAt), optional: 1 },
    ],
    context.output.columns,
  );
  context.output.result({ sessions }, sessions.length === 0 ? '' : text);
}

export interface CreateSessionOptions {
  readonly scope: string;
  readonly expires: string;
  readonly name?: string | undefined;
  readonly signaling: readonly string[];
  readonly tokenFile?: string | undefined;
}

export async function createSession(context: Context, options: CreateSessionOptions): Promise<void> {
  const scopes = parseScopes(options.scope);
  const expiresAt = parseExpiry(options.expires, Date.now());
  const store = await openSessions(context);
  const urls = options.signaling.length > 0 ? options.signaling : undefined;
  store.assertReachable(urls);
  const { session, record } = await store.create({ name: options.name, scopes, expiresAt });
  const token = store.token(record, urls);
  if (options.tokenFile !== undefined) await writeFileAtomic(options.tokenFile, `${token}\n`, { mode: 0o600 });
  const kept = options.tokenFile === undefined ? token : `Session ${session.name} is in ${options.tokenFile}`;
  context.output.result({ session, token }, kept);
}

export async function revokeSession(context: Context, which: string): Promise<void> {
  const session = await (await openSessions(context)).revoke(which);
  context.output.result({ session }, `Session ${session.name} (${session.keyId}) is revoked.`);
}

function parseScopes(text: string): Scope[] {
  const scopes = text.split(',').map((part) => {
    const parsed = scopeSchema.safeParse(part.trim());
    if (parsed.success) return parsed.data;
    throw new ModelRtcError('bad_argument', `"${part.trim()}" is no scope. --scope takes some of ${SCOPES.join(',')}.`);
  });
  return [...new Set(scopes)];
}

/** A time from now such as `7d` or `12h`; undefined for `never`. */
function parseExpiry(text: string, nowMs: number): Date | undefined {
  if (text === 'never') return undefined;
  return new Date(nowMs + parseDuration(text, '--expires', { word: 'never' }));
}
