import { MAX_PASSED_OVER } from '../limits.ts';

/** Numbers taken lowest first, with room for those that come back. The lowest first keeps whole-file hashing in order. */
export class ChunkQueue {
  #next = 0;
  readonly #end: number;
  /** Descending, once sorted. */
  #returned: number[] = [];
  #sorted = true;

  /** Starts with 0 to `end` - 1. */
  constructor(end: number) {
    this.#end = end;
  }

  putBack(ids: Iterable<number>): void {
    for (const id of ids) {
      this.#returned.push(id);
      this.#sorted = false;
    }
  }

  /**
   * Takes up to `limit` numbers for which `want` says 'take'; 'leave' keeps a number for another time and 'forget' drops it.
   */
  take(limit: number, want: (id: number) => 'take' | 'leave' | 'forget' | 'stop'): number[] {
    this.#sort();
    const taken: number[] = [];
    /** Those that are passed over stay where they are: a source may have thousands of them at each call. */
    const staying: number[] = [];
    const fresh: number[] = [];
    while (taken.length < limit && staying.length + fresh.length < MAX_PASSED_OVER) {
      const returned = this.#returned.at(-1);
      const id =
        returned !== undefined && (returned < this.#next || this.#next >= this.#end) ? returned : this.#fresh();
      if (id === undefined) break;
      const answer = want(id);
      if (answer === 'stop') break;
      if (id === returned) this.#returned.pop();
      else this.#next++;
      if (answer === 'take') taken.push(id);
      else if (answer === 'leave') (id === returned ? staying : fresh).push(id);
    }
    // They came off the end in ascending order.
    for (const id of staying.reverse()) this.#returned.push(id);
    this.putBack(fresh);
    return taken;
  }

  #fresh(): number | undefined {
    return this.#next < this.#end ? this.#next : undefined;
  }

  #sort(): void {
    if (this.#sorted) return;
    this.#returned.sort((a, b) => b - a);
    this.#sorted = true;
  }
}
