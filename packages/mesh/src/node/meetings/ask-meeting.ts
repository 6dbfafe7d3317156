import { ModelRtcError } from '@model-rtc/protocol';
import type { MeetingRoom } from '../../core/index.ts';
import type { VisitWorker } from '../links/as-member.ts';
import type { MeshSessions } from '../sessions.ts';

/** What a look at a meeting room found. */
export type MeetingFound =
  | { readonly kind: 'holder'; readonly key: string }
  /** Nobody holds it, or whoever does says nothing. */
  | { readonly kind: 'free' }
  /** The server could not be asked, or the holder refused. */
  | { readonly kind: 'unknown' };

export interface AskMeetingOptions {
  readonly visit: VisitWorker;
  readonly sessions: Pick<MeshSessions, 'holderIn'>;
  readonly room: MeetingRoom;
  readonly url: string;
  /** What shows that this node is a member. */
  readonly introduction: readonly Uint8Array[];
  readonly signal: AbortSignal;
}

/** Asks a meeting room at one signaling server who holds it. It never rejects. */
export async function askMeeting(options: AskMeetingOptions): Promise<MeetingFound> {
  const { visit, sessions, room, url, introduction, signal } = options;
  let isThere = false;
  try {
    using opened = await visit(tokenOf(room, url), signal);
    isThere = true;
    const { holder } = await opened.request('mesh_gossip', { records: [...introduction] });
    return holder === undefined ? { kind: 'unknown' } : { kind: 'holder', key: sessions.holderIn(holder) };
  } catch (error) {
    const { code } = ModelRtcError.from(error);
    return { kind: code === (isThere ? 'timeout' : 'worker_offline') ? 'free' : 'unknown' };
  }
}

function tokenOf({ identity, keyId, secret }: MeetingRoom, url: string): Parameters<VisitWorker>[0] {
  const workerKey = identity.publicKey;
  return { urls: [url], workerKey, keyId, secret, scopes: ['read'], expiresAt: undefined, features: ['ask'] };
}
