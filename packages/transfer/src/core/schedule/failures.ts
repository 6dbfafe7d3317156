import { MAX_REFETCHES, MAX_WRONG_CHUNKS } from '../limits.ts';
import type { ScheduledSource } from './scheduled-source.ts';

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

  byOrigin(id: number, origin: string): boolean {
    return this.#chunks.get(id)?.origins.has(origin) ?? false;
  }

  /**
   * A source that gave the chunk wrong is asked again only if every other one that could give it gave it wrong too.
   * @param able - all sources that could give it
   */
  othersAreBetter(id: number, source: ScheduledSource, able: readonly ScheduledSource[]): boolean {
    if (able.some(({ origin }) => !this.byOrigin(id, origin))) return true;
    // Try another lane of the same origin first: perhaps only the lane damages what it carries.
    const failed = ({ number }: ScheduledSource): boolean => this.#chunks.get(id)?.sources.has(number) ?? false;
    return failed(source) && !able.every(failed);
  }

  tooOften(id: number): boolean {
    return (this.#chunks.get(id)?.times ?? 0) > MAX_REFETCHES;
  }

  isUntrusted(origin: string): boolean {
    return (this.#wrong.get(origin) ?? 0) >= MAX_WRONG_CHUNKS;
  }
}
