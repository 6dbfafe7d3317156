import { hexToBytes } from '@noble/hashes/utils.js';
import type { MeshModel } from '../../types.ts';
import { MAX_CATALOGS_PER_MINUTE, MAX_MESH_MODELS, MAX_SKEW_MS } from '../limits.ts';
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
  #modelCount = 0;

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
    if (head.issuedAtMs > wallMs() + MAX_SKEW_MS)
      throw refusedRecord(`the catalog of ${head.name} is from the future: the clocks differ by more than 2 minutes`);
    this.#requireRoom(head);
    requireSignature(record, 0, hexToBytes(head.key), verify);
    this.#count(head);
    if (before?.sequence === head.sequence) {
      this.#doubled.add(head.key);
      throw new TwoNodesError(head.key);
    }
    this.#doubled.delete(head.key);
    this.#heads.set(head.key, head);
    return head.key;
  }

  remove(key: string): void {
    this.#heads.delete(key);
  }

  missingParts(): string[] {
    return [...this.#heads.values()].flatMap(({ parts }) => parts.filter((hash) => !this.#parts.has(hash)));
  }

  part(hash: string): Uint8Array | undefined {
    return this.#parts.get(hash)?.bytes;
  }

  /** @returns false for a part that no head names. @throws ModelRtcError `malformed_message`, `refused` */
  takePart(bytes: Uint8Array): boolean {
    const hash = partHash(bytes);
    if (this.#parts.has(hash)) return false;
    const head = [...this.#heads.values()].find(({ parts }) => parts.includes(hash));
    if (head === undefined) return false;
    const models = readModels(bytes, { index: head.parts.indexOf(hash), count: head.parts.length });
    if (this.#knownModels(head) + models.length > head.modelCount)
      throw refusedRecord(`the catalog of ${head.name} has more models than its head says`);
    if (this.#modelCount + models.length > MAX_MESH_MODELS)
      throw refusedRecord('the mesh has more models than this machine takes');
    this.#modelCount += models.length;
    this.#parts.set(hash, { bytes, models });
    return true;
  }

  /** Forgets the parts that no head names any more. */
  tidy(): void {
    const named = new Set([...this.#heads.values()].flatMap(({ parts }) => parts));
    for (const [hash, { models }] of this.#parts) {
      if (named.has(hash)) continue;
      this.#parts.delete(hash);
      this.#modelCount -= models.length;
    }
  }

  /** Those whose parts are here; none while two nodes announce with this key. */
  modelsOf(key: string): MeshModel[] {
    if (this.#doubled.has(key)) return [];
    return (this.#heads.get(key)?.parts ?? []).flatMap((hash) => this.#parts.get(hash)?.models ?? []);
  }

  #knownModels({ parts }: CatalogHead): number {
    return parts.reduce((sum, hash) => sum + (this.#parts.get(hash)?.models.length ?? 0), 0);
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

/** Two nodes announce with one key: a data folder was copied. */
export class TwoNodesError extends Error {
  readonly key: string;

  constructor(key: string) {
    super('two catalogs with one number');
    this.key = key;
  }
}
