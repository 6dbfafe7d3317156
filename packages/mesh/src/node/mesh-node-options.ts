import type { Clock, Log, ModelRtcError, SessionToken } from '@model-rtc/protocol';
import type { Agent, Handlers, Peer } from '@model-rtc/transport';
import type { MeshMember, MeshReach, MeshRole } from '../types.ts';
import type { VisitWorker } from './links/as-member.ts';
import type { OwnState } from './own/self-announcer.ts';
import type { MeshSessions } from './sessions.ts';
import type { MeshView } from './view.ts';

export interface MeshNodeOptions {
  readonly view: MeshView;
  readonly meshName: string;
  readonly ownKey: string;
  /** Members to reach first, as the invite named them. */
  readonly contacts: readonly { readonly key: string; readonly urls: readonly string[] }[];
  /** Signaling servers at which every member may wait. */
  readonly signalingUrls: readonly string[];
  readonly sessions: MeshSessions;
  /** Connects to a member's worker with a session for it, and with the handlers that it may ask. */
  readonly connect: (token: SessionToken, handlers: Handlers, signal: AbortSignal) => Promise<Peer>;
  /** Visits it over its signaling server alone, for what needs no connection. */
  readonly visit: VisitWorker;
  /** Whether this process only asks and leaves again: it opens connections only for what a few messages cannot do. */
  readonly isPassing?: boolean | undefined;
  /** Secrets of the mesh's meeting rooms, the newest first. */
  readonly meetingSecrets: () => readonly Uint8Array[];
  /** What to announce; undefined for a process that only looks. */
  readonly own?: (() => Promise<OwnState>) | undefined;
  readonly agent: Agent;
  readonly role: MeshRole;
  readonly gossipIntervalMs: number;
  /** Called when a new member came in by the door. */
  readonly onJoined?: ((member: MeshMember) => void) | undefined;
  /** Called with the records of a visitor that is not let in. */
  readonly onRefused?: ((shown: readonly Uint8Array[]) => void) | undefined;
  /** Called when a member does not let this node in. */
  readonly onNotLetIn?: ((error: ModelRtcError) => void) | undefined;
  /** Called when how members are reached has changed. */
  readonly onReach?: ((reach: ReadonlyMap<string, MeshReach>) => void) | undefined;
  readonly clock: Clock;
  /** The date, in milliseconds since 1970; that of this machine when left out. */
  readonly wallMs?: (() => number) | undefined;
  readonly random: () => number;
  readonly log: Log;
}
