import type { Scope } from '@model-rtc/protocol';
import type { Beat } from '../core/beats/beat.ts';
import type { OwnAnnouncement } from '../core/catalog/head.ts';
import type { RecordStore } from '../core/gossip/types.ts';
import type { MeshMember } from '../types.ts';
import type { Clocks } from './records/clocks.ts';

/** Says how often beats follow, or that the node is going: then the head does not count. */
export type HeadKind = { readonly beatEveryMs: number } | 'goodbye';

/** What a node of the mesh last said of itself. */
export interface HeardCatalog {
  readonly urls: readonly string[];
  /** How long it counts: no longer than `GOODBYE_TTL_MS` when the node has left. */
  readonly ttlMs: number;
}

/** All that this machine knows of one mesh: members, catalogs, and the signed records that they came in. */
export interface MeshView extends RecordStore {
  members(): readonly MeshMember[];
  /** undefined for a key that is no member: never let in, removed, or gone. */
  scopesOf(key: string): readonly Scope[] | undefined;
  catalogOf(key: string): HeardCatalog | undefined;
  /** When a member was alive last, by what it signed or revealed: milliseconds since 1970. */
  aliveAtMs(key: string): number | undefined;
  /** Signs what this node is now. @returns the names of the new records */
  announceSelf(own: OwnAnnouncement, kind: HeadKind): Promise<readonly string[]>;
  /** Whether the beats of this node's head have ended, or others do not know the head any more. */
  readonly needsHead: boolean;
  /** @returns this node's sign of life, if its time has come */
  beatSelf(): Promise<Beat | undefined>;
  /** Forgets what nobody needs any more. */
  tidy(): void;
  /** The keys of members whose memberships are among these records. */
  membersAmong(records: readonly Uint8Array[]): readonly string[];
  /** What lets another node know that this one is a member. */
  introduction(): Uint8Array[];
  /** Takes in what other processes of this machine wrote. @returns the names of records that are news */
  reload(): Promise<readonly string[]>;
  noteProblem(key: string, problem: string): void;
  problemOf(key: string): string | undefined;
  /** Told of the dates of members, which come with their messages. */
  readonly clocks: Pick<Clocks, 'compared'>;
}
