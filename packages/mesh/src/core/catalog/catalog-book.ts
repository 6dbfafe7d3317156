import { ModelRtcError } from '@model-rtc/protocol';
import { hexToBytes } from '@noble/hashes/utils.js';
import type { MeshModel } from '../../types.ts';
import { MAX_CATALOGS_PER_MINUTE, MAX_MESH_MODELS, MAX_NODE_MODELS, MAX_SKEW_MS } from '../limits.ts';
import { partHash } from '../parts.ts';
import { defaultVerify, refusedRecord, requireSignature, type SignedRecord, type Verify } from '../record.ts';
import { type CatalogHead, readHead } from './head.ts';
import { readModels } from './models.ts';

export interface CatalogBookOptions {
  readonly meshId: string;
  readonly wallMs: () => number;
  readonly isMember: (key: string) => boolean;
  readonly verify?: Verify | undefined;
}

interface KnownPart {
  readonly bytes: Uint8Array;
  readonly models: readonly MeshModel[];
}

/** The newest catalog of each node, as far as its parts are here. */
export class CatalogBook {
  readonly #options: CatalogBookOptions;
  readonly #heads = new Map<string, CatalogHead>();
  readonly #parts = new Map<string, KnownPart>();
  /** Keys that two nodes announce with: no catalog of theirs counts until a newer one comes. */
  readonly #doubled = new Set<string>();
  readonly #taken = new Map<string, { readonly sinceMs: number; count: number }>();
  /** Parts whose content is not what a catalog may have. */
  readonly #bad = new Set<string>();
  #modelCount = 0;
  /** In catalogs that newer ones have replaced since it was tidied, with their parts. */
  #staleModels = 0;

  constructor(options: CatalogBookOptions) {
    this.#options = options;
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
    if (head.issuedAtMs > wallMs() + MAX_SKEW_MS) throw problemOf(head, FROM_FUTURE);
    if (before?.sequence === head.sequence) {
      this.#doubled.add(head.key);
      throw new TwoNodesError(head.key);
    }
    this.#doubled.delete(head.key);
    this.#heads.set(head.key, head);
    if (before !== undefined) this.#tidyWhenStale(before);
    return head.key;
  }

  remove(key: string): void {
    this.#heads.delete(key);
  }

  /** One of each member's catalog, then the next of each: one that names a thousand does not hold up the others. */
  missingParts(): string[] {
    const all = this.#countedHeads().map(({ parts }) => parts.filter((hash) => this.#isMissing(hash)));
    const missing = all.filter(({ length }) => length > 0);
    const most = Math.max(0, ...missing.map(({ length }) => length));
    const inTurn = Array.from({ length: most }, (_, i) => missing.flatMap((parts) => parts[i] ?? []));
    return [...new Set(inTurn.flat())];
  }

  part(hash: string): Uint8Array | undefined {
    return this.#parts.get(hash)?.bytes;
  }

  /** @returns false for a part that no head names. @throws ModelRtcError `malformed_message`, `refused` */
  takePart(bytes: Uint8Array): boolean {
    const hash = partHash(bytes);
    if (this.#parts.has(hash)) return false;
    const head = this.#countedHeads().find(({ parts }) => parts.includes(hash));
    if (head === undefined) return false;
    const models = this.#readModels(head, bytes, hash);
    if (this.#modelCount + models.length > MAX_MESH_MODELS) this.tidy();
    if (this.#modelCount + models.length > MAX_MESH_MODELS)
      throw refusedRecord('the mesh has more models than this machine takes');
    this.#modelCount += models.length;
    this.#parts.set(hash, { bytes, models });
    return true;
  }

  /** Forgets the parts that no member's head names any more. */
  tidy(): void {
    this.#staleModels = 0;
    const named = new Set(this.#countedHeads().flatMap(({ parts }) => parts));
    for (const hash of this.#bad) if (!named.has(hash)) this.#bad.delete(hash);
    for (const [hash, { models }] of this.#parts) {
      if (named.has(hash)) continue;
      this.#parts.delete(hash);
      this.#modelCount -= models.length;
    }
  }

  /** Those whose parts are here; none while two nodes announce with this key. */
  modelsOf(key: string): MeshModel[] {
    const head = this.#heads.get(key);
    if (head === undefined || this.#doubled.has(key)) return [];
    const models = this.#knownModels(head);
    // Its head may name parts of others, which came with theirs.
    return models.length > head.modelCount ? [] : models;
  }

  /** Each part counts once, however often a head names it. */
  #knownModels({ parts }: CatalogHead): MeshModel[] {
    return [...new Set(parts)].flatMap((hash) => this.#parts.get(hash)?.models ?? []);
  }

  /** @throws ModelRtcError `refused`, with whose catalog is wrong: its node signed this part's hash */
  #readModels(head: CatalogHead, bytes: Uint8Array, hash: string): MeshModel[] {
    try {
      const models = readModels(bytes, { index: head.parts.indexOf(hash), count: head.parts.length });
      if (this.#knownModels(head).length + models.length <= head.modelCount) return models;
    } catch (error) {
      this.#bad.add(hash);
      throw problemOf(head, 'has a part that is not valid', error);
    }
    this.#bad.add(hash);
    throw problemOf(head, 'has more models than its head says');
  }

  /** What is wrong once stays wrong, since a part is named by its hash: it is not asked for again. */
  #isMissing(hash: string): boolean {
    return !this.#parts.has(hash) && !this.#bad.has(hash);
  }

  #countedHeads(): CatalogHead[] {
    return [...this.#heads.values()].filter(({ key }) => this.#options.isMember(key));
  }

  /** A node that changes its catalog all the time must not fill the memory with what it said before. */
  #tidyWhenStale({ modelCount, parts }: CatalogHead): void {
    this.#staleModels += modelCount + parts.length;
    if (this.#staleModels > MAX_NODE_MODELS) this.tidy();
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

const FROM_FUTURE = 'is from the future: the clocks differ by more than 2 minutes';

/** A catalog that its node has signed and that breaks a rule: the node is named, whoever passed it on. */
function problemOf({ key, name }: CatalogHead, problem: string, cause?: unknown): ModelRtcError {
  const { code, message, details } = refusedRecord(`the catalog of ${name} ${problem}`);
  return new ModelRtcError(code, message, { details: { ...details, culprit: key }, cause });
}

/** Two nodes announce with one key: a data folder was copied. */
export class TwoNodesError extends Error {
  readonly key: string;

  constructor(key: string) {
    super('two catalogs with one number');
    this.key = key;
  }
}
