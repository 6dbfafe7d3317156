/** A measured rate, and its certainty. */
export interface Measured {
  readonly bytesPerSecond: number;
  /** Its standard error, as far as so few samples tell. */
  readonly error: number;
  readonly samples: number;
}

/** Older rates are from before the windows grew. */
const MOST_SAMPLES = 6;

/** Turns readings of a byte count into rates, and keeps the newest ones under the same conditions. */
export class Goodput {
  #last: { readonly bytes: number; readonly atMs: number } | undefined;
  #rates: number[] = [];

  /**
   * Reads the count.
   *
   * @returns bytes a second since the last reading; undefined for the first reading, and for a count that fell, which counts
   * something else now
   */
  read(bytes: number, atMs: number): number | undefined {
    const last = this.#last;
    this.#last = { bytes, atMs };
    if (last === undefined || bytes < last.bytes || atMs <= last.atMs) return undefined;
    return ((bytes - last.bytes) * 1000) / (atMs - last.atMs);
  }

  keep(rate: number): void {
    this.#rates.push(rate);
    if (this.#rates.length > MOST_SAMPLES) this.#rates.shift();
  }

  /** Forgets the rates but not the count: conditions have changed. */
  restart(): void {
    this.#rates = [];
  }

  /** undefined until there are two samples: one sample has no known error. */
  get measured(): Measured | undefined {
    const samples = this.#rates.length;
    if (samples < 2) return undefined;
    const bytesPerSecond = this.#rates.reduce((sum, rate) => sum + rate, 0) / samples;
    const squares = this.#rates.reduce((sum, rate) => sum + (rate - bytesPerSecond) ** 2, 0);
    return { bytesPerSecond, error: Math.sqrt(squares / (samples - 1) / samples), samples };
  }
}
