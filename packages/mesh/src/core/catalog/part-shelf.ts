import type { MeshModel } from '../../types.ts';
import { MAX_MESH_MODELS } from '../limits.ts';
import { partHash, partOf } from '../parts.ts';
import { fairLevel } from './fair-level.ts';
import { type CatalogHead, catalogProblem } from './head.ts';
import { readModels, weightOf } from './models.ts';

interface KnownPart {
  readonly bytes: Uint8Array;
  readonly models: readonly MeshModel[];
}

/**
 * The parts of catalogs. When all of them are more than this machine takes, each node has an equal share: those below it lose nothing, and of
 * the others the first parts are kept. Which, is the same wherever the same heads are known.
 */
export class PartShelf {
  readonly #counts: (key: string) => boolean;
  readonly #most: number;
  readonly #heads = new Map<string, CatalogHead>();
  readonly #parts = new Map<string, KnownPart>();
  /** The nodes whose heads name a part. */
  readonly #namedBy = new Map<string, Set<string>>();
  /** Parts whose content is not what the head of a node says of them: they are not asked for again. */
  readonly #bad = new Map<string, Set<string>>();
  #level = Number.POSITIVE_INFINITY;
  #isLevelOld = false;

  /** @param counts whether a node is a member now: what others announced takes nothing from members */
  constructor(counts: (key: string) => boolean, most = MAX_MESH_MODELS) {
    this.#counts = counts;
    this.#most = most;
  }

  /** Takes the place of the node's head before. Parts that both name stay. */
  setHead(head: CatalogHead): void {
    const before = this.#heads.get(head.key);
    this.#heads.set(head.key, head);
    this.#bad.delete(head.key);
    for (const hash of head.parts) this.#namedBy.set(hash, (this.#namedBy.get(hash) ?? new Set()).add(head.key));
    if (before !== undefined) this.#unname(before, new Set(head.parts));
    this.#isLevelOld = true;
  }

  /** Members come and go: counts the shares again, and forgets what is not wanted any more. */
  tidy(): void {
    this.#isLevelOld = true;
    this.#dropUnwanted();
  }

  bytesOf(hash: string): Uint8Array | undefined {
    return this.#parts.get(hash)?.bytes;
  }

  /** Whether a head names it, and the share of its node has room for it. */
  isWanted(hash: string): boolean {
    return this.#wantingHeads(hash).length > 0;
  }

  /** Hashes of parts that are wanted and not here: of each node one, then of each the next, and so on. */
  missing(most: number, isSkipped: (hash: string) => boolean = () => false): string[] {
    const counted = [...this.#heads.values()].filter(({ key }) => this.#counts(key));
    const lists = counted.flatMap((head) => {
      const isBad = (hash: string) => this.#bad.get(head.key)?.has(hash) ?? false;
      const list = this.#kept(head).filter((hash) => !this.#parts.has(hash) && !isBad(hash) && !isSkipped(hash));
      return list.length === 0 ? [] : [list];
    });
    const found = new Set<string>();
    for (let i = 0; lists.some(({ length }) => length > i); i++) {
      for (const list of lists) {
        const hash = list[i];
        if (hash === undefined) continue;
        if (found.size >= most) return [...found];
        found.add(hash);
      }
    }
    return [...found];
  }

  /** @returns false for a part that is not wanted. @throws ModelRtcError `malformed_message`, `refused` when it fits no head that names it */
  take(bytes: Uint8Array): boolean {
    const hash = partHash(bytes);
    if (this.#parts.has(hash)) return false;
    let problem: unknown;
    for (const head of this.#wantingHeads(hash)) {
      try {
        this.#parts.set(hash, { bytes, models: this.#read(head, hash, bytes) });
        return true;
      } catch (error) {
        // Another node may name this part rightly: a wrong head must not keep it out. For this one it stays wrong.
        this.#bad.set(head.key, (this.#bad.get(head.key) ?? new Set()).add(hash));
        problem = error;
      }
    }
    if (problem === undefined) return false;
    throw problem;
  }

  /** The models of a node, as far as its parts are here. */
  modelsOf(key: string): MeshModel[] {
    const head = this.#heads.get(key);
    if (head === undefined) return [];
    const models = this.#kept(head).flatMap((hash, index) => {
      const part = this.#parts.get(hash);
      return part !== undefined && isPlaced(part, head, index) ? part.models : [];
    });
    // Its head may name parts of others, which came with theirs.
    return models.length > head.modelCount ? [] : models;
  }

  /** How many of a node's models this machine has no room for, about. */
  leftOut(key: string): number {
    const head = this.#heads.get(key);
    if (head === undefined) return 0;
    const kept = this.#kept(head).length;
    return kept === head.parts.length ? 0 : Math.ceil(head.modelCount * (1 - kept / head.parts.length));
  }

  /** The parts of a head that its node's share has room for. */
  #kept(head: CatalogHead): readonly string[] {
    const level = this.#currentLevel();
    if (level === Number.POSITIVE_INFINITY) return head.parts;
    let weight = 0;
    const end = head.weights.findIndex((one) => {
      weight += one;
      return weight > level;
    });
    return end === -1 ? head.parts : head.parts.slice(0, end);
  }

  #currentLevel(): number {
    if (!this.#isLevelOld) return this.#level;
    this.#isLevelOld = false;
    const before = this.#level;
    const heads = [...this.#heads.values()].filter(({ key }) => this.#counts(key));
    this.#level = fairLevel(
      heads.map(({ weights }) => sumOf(weights)),
      this.#most,
    );
    if (this.#level < before) this.#dropUnwanted();
    return this.#level;
  }

  #dropUnwanted(): void {
    for (const hash of this.#parts.keys()) if (!this.isWanted(hash)) this.#parts.delete(hash);
  }

  #wantingHeads(hash: string): CatalogHead[] {
    return [...(this.#namedBy.get(hash) ?? [])].flatMap((key) => {
      const head = this.#heads.get(key);
      return head !== undefined && this.#counts(key) && this.#kept(head).includes(hash) ? [head] : [];
    });
  }

  #read(head: CatalogHead, hash: string, bytes: Uint8Array): MeshModel[] {
    const { parts, weights, modelCount } = head;
    const index = parts.indexOf(hash);
    const models = readValid(head, bytes, index);
    if (weightOf(bytes, models.length) !== weights[index])
      throw catalogProblem(head, 'has a part that does not weigh what its head says');
    const known = sumOf([...new Set(parts)].map((other) => this.#parts.get(other)?.models.length ?? 0));
    if (known + models.length > modelCount) throw catalogProblem(head, 'has more models than its head says');
    return models;
  }

  #unname({ key, parts }: CatalogHead, except: ReadonlySet<string>): void {
    for (const hash of parts) {
      if (except.has(hash)) continue;
      const names = this.#namedBy.get(hash);
      names?.delete(key);
      if (names === undefined || names.size > 0) continue;
      this.#namedBy.delete(hash);
      this.#parts.delete(hash);
    }
  }
}

function readValid(head: CatalogHead, bytes: Uint8Array, index: number): MeshModel[] {
  try {
    return readModels(bytes, { index, count: head.parts.length });
  } catch (error) {
    throw catalogProblem(head, 'has a part that is not valid', error);
  }
}

function isPlaced({ bytes, models }: KnownPart, { parts, weights }: CatalogHead, index: number): boolean {
  return (
    weightOf(bytes, models.length) === weights[index] &&
    models.every(({ digest }) => partOf(digest, parts.length) === index)
  );
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
