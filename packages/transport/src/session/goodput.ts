/** How fast bytes came through in the newest samples of one state of affairs. */
export interface Measured {
  readonly bytesPerSecond: number;
  /** How far the samples lie apart: half their difference, as a part of their mean; 0 to 1. */
  readonly noise: number;
}

/** Turns a count of bytes, read now and then, into rates, and remembers the newest two. */
export class Goodput {
  #last: { readonly bytes: number; readonly atMs: number } | undefined;
  #newest: number | undefined;
  #before: number | undefined;

  /**
   * Reads the count.
   *
   * @returns bytes a second since it was read before; undefined for the first reading, and for a count that fell: it counts
   * something else now
   */
  read(bytes: number, atMs: number): number | undefined {
    const last = this.#last;
    this.#last = { bytes, atMs };
    if (last === undefined || bytes < last.bytes || atMs <= last.atMs) return undefined;
    return ((bytes - last.bytes) * 1000) / (atMs - last.atMs);
  }

  keep(rate: number): void {
    this.#before = this.#newest;
    this.#newest = rate;
  }

  /** Forgets the rates, not the count: what comes now is another state of affairs. */
  restart(): void {
    this.#before = undefined;
    this.#newest = undefined;
  }

  get newest(): number | undefined {
    return this.#newest;
  }

  /** Of the newest two rates; undefined until there are two. */
  get measured(): (Measured & { readonly least: number; readonly most: number }) | undefined {
    if (this.#newest === undefined || this.#before === undefined) return undefined;
    const [least, most] = [Math.min(this.#newest, this.#before), Math.max(this.#newest, this.#before)];
    const sum = least + most;
    return { bytesPerSecond: sum / 2, noise: sum === 0 ? 0 : (most - least) / sum, least, most };
  }
}
