import type { Clock, Log } from '@model-rtc/protocol';
import type { Beat } from '../beats/beat.ts';

/** What a record is called and how new it is: of two with one name, the higher order counts. */
export interface RecordSummary {
  readonly name: string;
  readonly order: number;
  /** Of a head with beats: how many of them are known. Of two with one order, the one with more is newer. */
  readonly beat?: number | undefined;
}

/** What one node tells another, over a lane or without one. */
export interface SyncMessage {
  /** Signed records that the other side lacks, as far as this side knows. */
  readonly records: readonly Uint8Array[];
  /** Signs of life, as `packBeats` writes them. */
  readonly beats?: Uint8Array | undefined;
  /** All that this side has; the answer brings what is newer and asks for what is missing. Left out where only news is told. */
  readonly have?: readonly RecordSummary[] | undefined;
  /** The ranges of names that `have` is about: all of them when it is left out. */
  readonly ranges?: readonly number[] | undefined;
  /** Asks in which ranges the two differ: 8 bytes for each of 256. */
  readonly hashes?: Uint8Array | undefined;
  /** Parts of catalogs that the other side lacks and cannot fetch. */
  readonly parts?: readonly Uint8Array[] | undefined;
  /** Beats of later than this, in milliseconds since 1970, are left out of `hashes`: they are still on their way. */
  readonly beatsUntil?: number | undefined;
  /** The sender's date, in milliseconds since 1970: where the two compare. */
  readonly sentAt?: number | undefined;
}

export interface SyncReply {
  readonly records: readonly Uint8Array[];
  readonly beats?: Uint8Array | undefined;
  /** Names of records that the asker has and this side lacks. */
  readonly want: readonly string[];
  /** Nodes whose newer beats the asker knows: the first 8 bytes of the key of each. */
  readonly wantBeats?: Uint8Array | undefined;
  /** The answer to `hashes`. */
  readonly ranges?: readonly number[] | undefined;
  /** Hashes of parts that this side lacks, where it cannot fetch them. */
  readonly missing?: readonly string[] | undefined;
  /** The answerer's date, where the asker said its own. */
  readonly sentAt?: number | undefined;
}

/** What came of beats that a member sent. */
export interface TakenBeats {
  /** Those that others should hear. */
  readonly news: readonly Beat[];
  /** Those of heads that are not here: they may come with the same message. */
  readonly early: readonly Beat[];
  /** Names of records that would tell what a beat belongs to. */
  readonly want: readonly string[];
  /** Hashes that were computed for beats which turned out wrong. */
  readonly wrongSteps: number;
}

/** The signed records of one mesh on this machine. */
export interface RecordStore {
  /** How many records there are, about. */
  readonly size: number;
  /** @param beatsUntil leaves out beats of later than this, in milliseconds since 1970 */
  summary(beatsUntil?: number): Iterable<RecordSummary>;
  orderOf(name: string): number | undefined;
  bytesOf(name: string): Uint8Array | undefined;
  /**
   * Checks a record and keeps it if it is news.
   * @returns its name if it is news; undefined when it is known, old or not acceptable; false when a signature is wrong: members
   * check that before they pass a record on
   */
  accept(bytes: Uint8Array, fromKey: string): Promise<string | false | undefined>;
  /** The newest beat of a node, the anchor where none was revealed yet. @param hint the first 16 characters of its key */
  beatOf(hint: string): Beat | undefined;
  /** How many beats are known of a head. */
  beatsOf(name: string): number | undefined;
  acceptBeats(beats: readonly Beat[], fromKey: string): Promise<TakenBeats>;
  /** Hashes of catalog parts that the heads name and that are not here, at most so many. */
  missingParts(most: number, isSkipped?: (hash: string) => boolean): readonly string[];
  part(hash: string): Uint8Array | undefined;
  /** @returns whether it is news: false for what is not wanted, and for what is not valid */
  acceptPart(bytes: Uint8Array, fromKey: string): Promise<boolean>;
}

/** What records are kept alike with. */
export interface RecordSyncOptions {
  readonly store: RecordStore;
  /** Tells a linked member, and resolves with its answer. */
  readonly tell: (key: string, message: SyncMessage) => Promise<SyncReply>;
  /** Asks a linked member for parts of catalogs. */
  readonly fetchParts: (key: string, hashes: readonly string[]) => Promise<readonly Uint8Array[]>;
  /** Whether a member is asked over signaling servers alone: little goes there, and it can ask nothing back. */
  readonly isWithoutLane?: ((key: string) => boolean) | undefined;
  /** Members that are linked now. */
  readonly linked: () => readonly string[];
  /** Called after records, beats or parts were news. */
  readonly onNews: () => void;
  /** Called when records are told to linked members. @param fromKey whoever told them; undefined for what this node itself has to say */
  readonly onAnnounced?: ((fromKey: string | undefined) => void) | undefined;
  readonly onBrokenLimit: (key: string, problem: string) => void;
  readonly clock: Clock;
  /** The date: milliseconds since 1970. */
  readonly wallMs: () => number;
  readonly random: () => number;
  readonly log: Log;
}
