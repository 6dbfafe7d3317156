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

export interface ShelfOptions {
  /** What others announced than members takes nothing from members. */
  readonly isMember: (key: string) => boolean;
  /** Members that are not trusted get what trusted ones leave; everyone is when left out. Their parts are kept for other members that ask. */
  readonly isTrusted?: ((key: string) => boolean) | undefined;
  readonly most?: number | undefined;
}

/** The most that the models of one trusted node may weigh, and of one that is not. */
interface Levels {
  readonly trusted: number;
  readonly others: number;
}

/**
 * The parts of catalogs. When all of them are more than this machine takes, each node has an equal share: those below it lose nothing, and of
 * the others the first parts are kept. Which, is the same wherever the same heads are known and the same nodes trusted.
 */
export class PartShelf {
  readonly #isMember: (key: string) => boolean;
  readonly #isTrusted: (key: string) => boolean;
  readonly #most: number;
  readonly #heads = new Map<string, CatalogHead>();
  readonly #parts = new Map<string, KnownPart>();
  /** The nodes whose heads name a part. */
  readonly #namedBy = new Map<string, Set<string>>();
  /** Parts whose content is not what the head of a node says of them: they are not asked for again. */
  readonly #bad = new Map<string, Set<string>>();
  #levels: Levels = { trusted: Number.POSITIVE_INFINITY, others: Number.POSITIVE_INFINITY };
  #isLevelOld = false;

  constructor({ isMember, isTrusted = () => true, most = MAX_MESH_MODELS }: ShelfOptions) {
    this.#isMember = isMember;
    this.#isTrusted = isTrusted;
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

  /** Members come and go, and are trusted or not: counts the shares again when they are needed next. */
  recount(): void {
    this.#isLevelOld = true;
  }

  /** Counts the shares again, and forgets what is not wanted any more. */
  tidy(): void {
    this.recount();
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
    const counted = [...this.#heads.values()].filter(({ key }) => this.#isMember(key));
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
    const { trusted, others } = this.#currentLevels();
    const level = this.#isTrusted(head.key) ? trusted : others;
    if (level === Number.POSITIVE_INFINITY) return head.parts;
    let weight = 0;
    const end = head.weights.findIndex((one) => {
      weight += one;
      return weight > level;
    });
    return end === -1 ? head.parts : head.parts.slice(0, end);
  }

  #currentLevels(): Levels {
    if (!this.#isLevelOld) return this.#levels;
    this.#isLevelOld = false;
    const before = this.#levels;
    const wants: [trusted: number[], others: number[]] = [[], []];
    for (const { key, weights } of this.#heads.values())
      if (this.#isMember(key)) wants[this.#isTrusted(key) ? 0 : 1].push(sumOf(weights));
    const trusted = fairLevel(wants[0], this.#most);
    const taken = sumOf(wants[0].map((want) => Math.min(want, trusted)));
    this.#levels = { trusted, others: fairLevel(wants[1], Math.max(0, this.#most - taken)) };
    if (trusted < before.trusted || this.#levels.others < before.others) this.#dropUnwanted();
    return this.#levels;
  }

  #dropUnwanted(): void {
    for (const hash of this.#parts.keys()) if (!this.isWanted(hash)) this.#parts.delete(hash);
  }

  #wantingHeads(hash: string): CatalogHead[] {
    return [...(this.#namedBy.get(hash) ?? [])].flatMap((key) => {
      const head = this.#heads.get(key);
      return head !== undefined && this.#isMember(key) && this.#kept(head).includes(hash) ? [head] : [];
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
