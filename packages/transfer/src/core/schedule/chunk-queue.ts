import { MAX_PASSED_OVER } from '../limits.ts';

/** Gives out numbers, the lowest first, and takes some back. That order lets files be hashed as their chunks come. */
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
   * @param from - the least number; no number that was never given out is less
   */
  take(limit: number, want: (id: number) => 'take' | 'leave' | 'forget' | 'stop', from = 0): number[] {
    this.#sort();
    const taken: number[] = [];
    /** Numbers that are passed over stay in place: there may be thousands at each call. */
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
    // They came in ascending order.
    this.#returned.splice(place, end - place, ...staying.reverse());
    this.putBack(fresh);
    return taken;
  }

  /** How many of the returned numbers are at least this. All are less than any that was never given out. */
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
