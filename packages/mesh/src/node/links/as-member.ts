import { ModelRtcError, type SessionToken } from '@model-rtc/protocol';
import type { SealedVisit } from '@model-rtc/transport';
import type { MeshSessions } from '../sessions.ts';
import type { MeshView } from '../view.ts';

/** Visits a worker over its signaling server alone. */
export type VisitWorker = (token: SessionToken, signal: AbortSignal) => Promise<SealedVisit>;

export interface AsMemberOptions {
  readonly visit: VisitWorker;
  readonly sessions: Pick<MeshSessions, 'doorFor'>;
  /** The member whose worker is visited. */
  readonly key: string;
  readonly urls: readonly string[];
  /** What shows that this node is a member. */
  readonly introduction: readonly Uint8Array[];
  /** Whether the other surely does not know this node yet. */
  readonly isNew: boolean;
  /** The date: milliseconds since 1970. */
  readonly wallMs: () => number;
  readonly signal: AbortSignal;
}

/**
 * Visits a member's worker in some way. One that does not know this node yet is told of it first, through its door.
 * @throws ModelRtcError as `work` does; `token_revoked` when this node is no member any more
 */
export async function asMember<T>(options: AsMemberOptions, work: () => Promise<T>): Promise<T> {
  const { visit, sessions, key, urls, introduction, isNew, wallMs, signal } = options;
  const introduce = async () => {
    using door = await visit(sessions.doorFor(key, urls), signal);
    await door.request('mesh_gossip', { records: [...introduction], sentAt: wallMs() });
  };
  if (isNew) await introduce();
  try {
    return await work();
  } catch (error) {
    if (ModelRtcError.from(error).code !== 'refused') throw error;
  }
  await introduce();
  return await work();
}

/** Whether this error says that the other does not let this node in. */
export function isRefusal({ code, details }: ModelRtcError): boolean {
  return code === 'token_revoked' || details?.isClock === true;
}

/** Whether a node has left the mesh by itself. Those that heard of it refuse it, as it wanted. */
export function hasLeft(view: Pick<MeshView, 'scopesOf' | 'orderOf'>, key: string): boolean {
  return view.scopesOf(key) === undefined && view.orderOf(`leave/${key}`) !== undefined;
}

/** What a node is told that is no member, or not any more. Whoever refuses it does not always know which. */
export function noMemberError(): ModelRtcError {
  return new ModelRtcError(
    'token_revoked',
    'This machine is no member of the mesh: it was removed, or its invite was revoked, used up or expired. Ask for a new invite and run: model-rtc mesh join INVITE.',
  );
}
