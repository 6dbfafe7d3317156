import { MAX_REFETCHES, MAX_WRONG_CHUNKS } from '../limits.ts';

interface ChunkFailures {
  times: number;
  readonly sources: Set<number>;
  readonly origins: Set<string>;
}

/** Which chunks came wrong or not at all, and from whom. */
export class Failures {
  readonly #chunks = new Map<number, ChunkFailures>();
  readonly #wrong = new Map<string, number>();

  add(id: number, source: number, origin: string): void {
    const failures = this.#chunks.get(id) ?? { times: 0, sources: new Set(), origins: new Set() };
    failures.times++;
    failures.sources.add(source);
    failures.origins.add(origin);
    this.#chunks.set(id, failures);
  }

  /** The origin sent bytes that are not the chunk's. */
  countWrong(origin: string): void {
    this.#wrong.set(origin, (this.#wrong.get(origin) ?? 0) + 1);
  }

  forget(id: number): void {
    this.#chunks.delete(id);
  }

  bySource(id: number, source: number): boolean {
    return this.#chunks.get(id)?.sources.has(source) ?? false;
  }

  byOrigin(id: number, origin: string): boolean {
    return this.#chunks.get(id)?.origins.has(origin) ?? false;
  }

  tooOften(id: number): boolean {
    return (this.#chunks.get(id)?.times ?? 0) > MAX_REFETCHES;
  }

  isUntrusted(origin: string): boolean {
    return (this.#wrong.get(origin) ?? 0) >= MAX_WRONG_CHUNKS;
  }
}
