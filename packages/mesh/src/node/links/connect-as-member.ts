import { ModelRtcError, type Scope, type SessionToken } from '@model-rtc/protocol';
import type { Handlers, Peer } from '@model-rtc/transport';
import type { MeshSessions } from '../sessions.ts';

export interface ConnectAsMemberOptions {
  readonly connect: (token: SessionToken, handlers: Handlers, signal: AbortSignal) => Promise<Peer>;
  readonly sessions: Pick<MeshSessions, 'sessionFor' | 'doorFor'>;
  /** The member whose worker is visited. */
  readonly key: string;
  readonly urls: readonly string[];
  readonly scopes: readonly Scope[];
  readonly handlers: Handlers;
  /** What shows that this node is a member. */
  readonly introduction: readonly Uint8Array[];
  /** Whether the other surely does not know this node yet. */
  readonly isNew: boolean;
  readonly signal: AbortSignal;
}

/**
 * Connects to a member's worker. One that does not know this node yet is told of it first, through its door.
 * @throws ModelRtcError as `connectToSession` does; `token_revoked` when this node is no member any more
 */
export async function connectAsMember(options: ConnectAsMemberOptions): Promise<Peer> {
  const { connect, sessions, key, urls, scopes, handlers, introduction, isNew, signal } = options;
  const visit = async () => await connect(sessions.sessionFor(key, urls, scopes), handlers, signal);
  const introduce = async () => {
    await using door = await connect(sessions.doorFor(key, urls), {}, signal);
    await door.request('mesh_gossip', { records: [...introduction] }, { signal });
  };
  if (isNew) await introduce();
  try {
    return await visit();
  } catch (error) {
    if (ModelRtcError.from(error).code !== 'refused') throw error;
  }
  await introduce();
  return await visit();
}

/** What a node is told that is no member, or not any more. */
export function noMemberError(): ModelRtcError {
  return new ModelRtcError(
    'token_revoked',
    'This machine is no member of the mesh any more. To come back, ask for a new invite and run: model-rtc mesh join INVITE.',
  );
}
