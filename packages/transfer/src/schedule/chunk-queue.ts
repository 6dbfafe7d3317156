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
    const taken: number[] = [];
    const left: number[] = [];
    while (taken.length < limit) {
      const id = this.#peek();
      if (id === undefined) break;
      const answer = want(id);
      if (answer === 'stop') break;
      this.#skip(id);
      if (answer === 'take') taken.push(id);
      else if (answer === 'leave') left.push(id);
    }
    this.putBack(left);
    return taken;
  }

  #peek(): number | undefined {
    if (!this.#sorted) {
      this.#returned.sort((a, b) => b - a);
      this.#sorted = true;
    }
    const returned = this.#returned.at(-1);
    const fresh = this.#next < this.#end ? this.#next : undefined;
    if (returned === undefined || fresh === undefined) return returned ?? fresh;
    return Math.min(returned, fresh);
  }

  #skip(id: number): void {
    if (this.#returned.at(-1) === id) this.#returned.pop();
    else this.#next++;
  }
}
