import { BEAT_BYTES } from '../../packages/mesh/src/core/beats/beat.ts';
import type { SyncMessage, SyncReply } from '../../packages/mesh/src/core/gossip/types.ts';

/** The names of records fall into so many ranges. */
const RANGES = 256;
/** A record's name, order and beat in a list. */
const NAME_BYTES = 104;
/** The name of a head, or that of a node's newer beats, as they are asked for. */
export const WANT_BYTES = 80;
const WANT_BEATS_BYTES = 8;
/** The hashes of all ranges, with what is around them. */
const HASHES_BYTES = 2_100;
/** The number of a range. */
const RANGE_BYTES = 2;

export interface MeshTrafficOptions {
  /** Present nodes, among which what was received is divided. */
  readonly nodes: number;
  /** All nodes: each has two records, its membership and its head. */
  readonly members: number;
  /** Nodes whose heads and beats are followed, in place of all. */
  readonly followed: number;
  readonly headBytes: number;
  /** Whether a head was signed while the simulation ran, so that its copies are news. */
  readonly isNews: (place: number, sequence: number) => boolean;
}

/** What the messages of a simulated mesh would be if the heads and beats of all nodes were in them. */
export class MeshTraffic {
  /** Copies of the followed heads that were news, and of their names. */
  headCopies = 0;
  announcedCopies = 0;
  beatCopies = 0;
  /** How often a node asked for one that it was told of. */
  wants = 0;
  readonly #options: MeshTrafficOptions;
  #comparedBytes = 0;
  #comparedSinceMs = 0;

  constructor(options: MeshTrafficOptions) {
    this.#options = options;
  }

  /** Counts what is compared from now on: at the start all nodes know the same. */
  beginComparing(nowMs: number): void {
    this.#comparedBytes = 0;
    this.#comparedSinceMs = nowMs;
  }

  /** What comparing brings a node in an hour: hashes, names, and heads that it missed while it was away. */
  comparedBytesAnHour(nowMs: number): number {
    return (this.#comparedBytes / this.#options.nodes) * (3_600_000 / (nowMs - this.#comparedSinceMs));
  }

  /** A node received this. */
  received(message: SyncMessage | SyncReply): void {
    const { headBytes, isNews, members, followed } = this.#options;
    for (const [place = 0, sequence = 0] of message.records) {
      if (isNews(place, sequence)) this.headCopies += 1;
      else this.#comparedBytes += (headBytes * members) / followed;
    }
    if (message.beats !== undefined) this.#receivedBeats(message.beats);
    if ('want' in message) this.#receivedReply(message);
    else this.#receivedRequest(message);
  }

  #receivedBeats(bytes: Uint8Array): void {
    // The index is behind the node's key and the sequence.
    for (let at = 0; at < bytes.length; at += BEAT_BYTES) {
      if (bytes[at + 16] === 0 && bytes[at + 17] === 0) this.announcedCopies += 1;
      else this.beatCopies += 1;
    }
  }

  #receivedRequest({ hashes, have, ranges }: SyncMessage): void {
    if (hashes !== undefined) this.#comparedBytes += HASHES_BYTES;
    if (have === undefined) return;
    const part = this.#rangesOfAll(ranges?.length ?? RANGES);
    this.#comparedBytes += part * 2 * this.#options.members * NAME_BYTES;
  }

  #receivedReply({ want, wantBeats = new Uint8Array(), ranges }: SyncReply): void {
    const { members, followed } = this.#options;
    this.wants += want.length;
    this.#comparedBytes += ((wantBeats.length / 8) * WANT_BEATS_BYTES * members) / followed;
    if (ranges !== undefined) this.#comparedBytes += this.#rangesOfAll(ranges.length) * RANGES * RANGE_BYTES;
  }

  /** Which part of all ranges differs, where those of so many followed nodes do: each of them has a range of its own. */
  #rangesOfAll(differing: number): number {
    const { members, followed } = this.#options;
    return 1 - (1 - Math.min(1, differing / followed)) ** (members / RANGES);
  }
}
