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
   *
   * @param from - the least number; numbers that were never given out before are at least this.
   */
  take(limit: number, want: (id: number) => 'take' | 'leave' | 'forget' | 'stop', from = 0): number[] {
    this.#sort();
    const taken: number[] = [];
    /** Those that are passed over stay where they are: a source may have thousands of them at each call. */
    const staying: number[] = [];
    const fresh: number[] = [];
    const end = this.#placeOf(from);
    let place = end;
    while (taken.length < limit && staying.length + fresh.length < MAX_PASSED_OVER) {
      const returned = this.#returned[place - 1];
      const id = returned ?? (this.#next < this.#end ? this.#next : undefined);
      if (id === undefined) break;
      const answer = want(id);
      if (answer === 'stop') break;
      if (id === returned) place--;
      else this.#next++;
      if (answer === 'take') taken.push(id);
      else if (answer === 'leave') (id === returned ? staying : fresh).push(id);
    }
    // They were met in ascending order.
    this.#returned.splice(place, end - place, ...staying.reverse());
    this.putBack(fresh);
    return taken;
  }

  /** How many of the returned numbers are at least this. They are less than any that was never given out. */
  #placeOf(from: number): number {
    let low = 0;
    let high = this.#returned.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#returned[middle] ?? 0) >= from) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #sort(): void {
    if (this.#sorted) return;
    this.#returned.sort((a, b) => b - a);
    this.#sorted = true;
  }
}
