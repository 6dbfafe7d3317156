import type { ModelRtcError } from '@model-rtc/protocol';
import { hexToBytes } from '@noble/hashes/utils.js';
import type { MeshModel } from '../../types.ts';
import type { Beat } from '../beats/beat.ts';
import { BeatBook, type BeatOutcome } from '../beats/beat-book.ts';
import { CATALOG_TTL_MS, MAX_CATALOGS_PER_MINUTE, MAX_SKEW_MS } from '../limits.ts';
import { defaultVerify, refusedRecord, requireSignature, type SignedRecord, type Verify } from '../record.ts';
import { type CatalogHead, readHead } from './head.ts';
import { PartShelf } from './part-shelf.ts';

export interface CatalogBookOptions {
  readonly meshId: string;
  readonly wallMs: () => number;
  readonly isMember: (key: string) => boolean;
  /** Everyone is when left out. */
  readonly isTrusted?: ((key: string) => boolean) | undefined;
  readonly verify?: Verify | undefined;
}

/** The newest catalog of each node, as far as its parts are here. */
export class CatalogBook {
  readonly beats: BeatBook;
  readonly #options: CatalogBookOptions;
  readonly #heads = new Map<string, CatalogHead>();
  readonly #shelf: PartShelf;
  /** Keys that two nodes announce with, and when that was seen last. */
  readonly #doubledAtMs = new Map<string, number>();
  /** The newest catalog of each node that was refused as from the future. */
  readonly #future = new Map<string, RefusedHead>();
  readonly #taken = new Map<string, { readonly sinceMs: number; count: number }>();

  constructor(options: CatalogBookOptions) {
    this.#options = options;
    this.beats = new BeatBook(options.wallMs);
    this.#shelf = new PartShelf(options);
  }

  headOf(key: string): CatalogHead | undefined {
    return this.#heads.get(key);
  }

  /**
   * @returns the node's key if it is news
   * @throws ModelRtcError `malformed_message`, `refused`; `TwoNodesError` once two catalogs with one number have come
   */
  take(record: SignedRecord): string | undefined {
    const { meshId, wallMs, isMember, verify = defaultVerify } = this.#options;
    const head = readHead(record, meshId);
    if (!isMember(head.key)) throw refusedRecord('its node is no member');
    const before = this.#heads.get(head.key);
    if (before !== undefined && before.sequence > head.sequence) return undefined;
    if (before?.record.id === record.id) return undefined;
    this.#requireRoom(head);
    requireSignature(record, 0, hexToBytes(head.key), verify);
    this.#count(head);
    if (head.issuedAtMs > wallMs() + MAX_SKEW_MS) throw this.#refuseFuture(head);
    this.#future.delete(head.key);
    if (before?.sequence === head.sequence) {
      this.noteDoubled(head.key);
      throw new TwoNodesError(head.key);
    }
    this.#heads.set(head.key, head);
    this.#shelf.setHead(head);
    this.beats.begin(head);
    return head.key;
  }

  /** How far the clocks of nodes are ahead whose catalogs were refused for that, lately. */
  aheadMs(): Map<string, number> {
    const sinceMs = this.#options.wallMs() - PRESENT_MS;
    for (const [key, { atMs }] of this.#future) if (atMs < sinceMs) this.#future.delete(key);
    return new Map([...this.#future].map(([key, { leadMs }]) => [key, leadMs]));
  }

  /** The highest number that is known of a node's catalogs, a refused one included: its next must be higher. */
  lastSequence(key: string): number {
    return Math.max(this.#heads.get(key)?.sequence ?? 0, this.#future.get(key)?.sequence ?? 0);
  }

  /** @param most how many hashes at most */
  missingParts(most: number, isSkipped?: (hash: string) => boolean): string[] {
    return this.#shelf.missing(most, isSkipped);
  }

  part(hash: string): Uint8Array | undefined {
    return this.#shelf.bytesOf(hash);
  }

  /** @returns false for a part that is not wanted. @throws ModelRtcError `malformed_message`, `refused` */
  takePart(bytes: Uint8Array): boolean {
    return this.#shelf.take(bytes);
  }

  /** Those whose parts are here; none while two nodes announce with this key. */
  modelsOf(key: string): MeshModel[] {
    return this.isDoubled(key) ? [] : this.#shelf.modelsOf(key);
  }

  /** How many of a node's models this machine has no room for, about. */
  leftOut(key: string): number {
    return this.#shelf.leftOut(key);
  }

  /** Members came or went, or are trusted otherwise. */
  recount(): void {
    this.#shelf.recount();
  }

  /** Takes a sign of life, from whoever passes it on. */
  takeBeat(beat: Beat): BeatOutcome {
    const outcome = this.beats.take(beat);
    if (outcome.kind === 'doubled') this.noteDoubled(outcome.key);
    return outcome;
  }

  /** Two nodes announce with this key: nothing of theirs counts until that was not seen for as long as a node counts as present. */
  noteDoubled(key: string): void {
    this.#doubledAtMs.set(key, this.#options.wallMs());
  }

  isDoubled(key: string): boolean {
    const atMs = this.#doubledAtMs.get(key);
    return atMs !== undefined && Math.abs(this.#options.wallMs() - atMs) < PRESENT_MS;
  }

  /** Forgets the models of those that are no members any more. Their heads stay: who is let in again need not sign a new one. */
  tidy(): void {
    for (const key of this.#doubledAtMs.keys()) if (!this.isDoubled(key)) this.#doubledAtMs.delete(key);
    this.#shelf.tidy();
  }

  #refuseFuture({ key, name, sequence, issuedAtMs, record }: CatalogHead): ModelRtcError {
    const atMs = this.#options.wallMs();
    const before = this.#future.get(key);
    // One that is shown again tells less each time, since it comes nearer.
    const leadMs = before?.id === record.id ? before.leadMs : issuedAtMs - atMs;
    this.#future.set(key, { id: record.id, sequence, leadMs, atMs });
    return refusedRecord(`the catalog of ${name} is from the future: the clocks differ by more than 2 minutes`);
  }

  /** A catalog costs every node of the mesh a signature and its bytes. */
  #requireRoom({ key, name }: CatalogHead): void {
    const taken = this.#taken.get(key);
    if (taken === undefined || Math.abs(this.#options.wallMs() - taken.sinceMs) >= 60_000) return;
    if (taken.count >= MAX_CATALOGS_PER_MINUTE) throw refusedRecord(`${name} sends more catalogs than a node may`);
  }

  /** Only what the node itself has signed counts: nobody can use up another's share. */
  #count({ key }: CatalogHead): void {
    const nowMs = this.#options.wallMs();
    const taken = this.#taken.get(key);
    // A clock that was set back must not hold a node up for longer than a minute.
    const isOver = taken === undefined || Math.abs(nowMs - taken.sinceMs) >= 60_000;
    if (isOver) this.#taken.set(key, { sinceMs: nowMs, count: 1 });
    else taken.count += 1;
  }
}

interface RefusedHead {
  readonly id: string;
  readonly sequence: number;
  readonly leadMs: number;
  readonly atMs: number;
}

/** How long a node counts as present after its last sign of life, by any clock that is right enough. */
const PRESENT_MS = CATALOG_TTL_MS + MAX_SKEW_MS;

/** Two nodes announce with one key: a data folder was copied. */
export class TwoNodesError extends Error {
  readonly key: string;

  constructor(key: string) {
    super('two catalogs with one number');
    this.key = key;
  }
}
