/** Whether chunks are sent encoded: where it pays, or never. */
export type CompressMode = 'auto' | 'off';

/** A path that carries more, on all lanes together, is not slower than the CPUs that would encode for it. */
const FAST_PATH_BYTES_PER_SECOND = 40e6;
/** What a rate is measured over, at least: long enough for windows to fill, and a few chunks. */
const MEASURE_SECONDS = 1.5;
const MEASURE_BYTES = 2 * 1024 * 1024;
/** A loss that is no more than chance makes. */
const TOLERANCE = 0.97;
/** An encoding that shortens less does not pay, whatever the rate. */
const MAX_RATIO = 0.95;
/** The other way is tried again after so long, later each time that it turned out no better. */
const FIRST_RETRY_SECONDS = 30;
const MAX_RETRY_SECONDS = 120;
/** A trial on a very slow path takes long itself; it may take at most this part of the time. */
const TRIALS_PART = 1 / 20;

export interface ArrivedBytes {
  /** Whether the request that they came of offered encodings. */
  readonly offered: boolean;
  /** Bytes of chunks, as they are and as they came. A piece of an encoded chunk counts as decoded when the chunk is whole. */
  readonly decodedBytes: number;
  readonly wireBytes: number;
}

interface Measured {
  readonly seconds: number;
  readonly decodedPerSecond: number;
  readonly wirePerSecond: number;
}

interface Measurement {
  readonly sinceSeconds: number;
  decodedBytes: number;
  wireBytes: number;
}

/**
 * Decides whether requests offer encodings, from how fast chunks arrive: both ways are measured one after the other, the
 * better one is kept, and the other is tried again now and then.
 */
export class EncodingChoice {
  readonly #mode: CompressMode;
  #offers = false;
  /** The way that was found better; another one is on trial. */
  #settled = false;
  #measurement: Measurement | undefined;
  /** The latest rate of each way, in bytes of chunks a second. */
  #plainRate = 0;
  #encodedRate = 0;
  #retrySeconds = FIRST_RETRY_SECONDS;
  #retryAtSeconds = Number.NEGATIVE_INFINITY;

  constructor(mode: CompressMode = 'auto') {
    this.#mode = mode;
  }

  /** Whether the next request offers encodings. */
  get offers(): boolean {
    return this.#offers;
  }

  /** Takes what arrived. @param nowSeconds of a clock that only ever grows. */
  arrived({ offered, decodedBytes, wireBytes }: ArrivedBytes, nowSeconds: number): void {
    if (this.#mode === 'off') return;
    // After a change, requests of the way before are answered still; what comes mixed says nothing of either.
    if (offered !== this.#offers) this.#measurement = undefined;
    else if (this.#measurement === undefined)
      this.#measurement = { sinceSeconds: nowSeconds, decodedBytes: 0, wireBytes: 0 };
    else this.#count(this.#measurement, { decodedBytes, wireBytes }, nowSeconds);
  }

  #count(
    measurement: Measurement,
    { decodedBytes, wireBytes }: Omit<ArrivedBytes, 'offered'>,
    nowSeconds: number,
  ): void {
    measurement.decodedBytes += decodedBytes;
    measurement.wireBytes += wireBytes;
    const seconds = nowSeconds - measurement.sinceSeconds;
    if (seconds < MEASURE_SECONDS || measurement.decodedBytes < MEASURE_BYTES) return;
    this.#measurement = undefined;
    this.#judge(
      {
        seconds,
        decodedPerSecond: measurement.decodedBytes / seconds,
        wirePerSecond: measurement.wireBytes / seconds,
      },
      nowSeconds,
    );
  }

  #judge({ seconds, decodedPerSecond, wirePerSecond }: Measured, nowSeconds: number): void {
    const isTrial = this.#offers !== this.#settled;
    const isFast = wirePerSecond >= FAST_PATH_BYTES_PER_SECOND;
    const isRetryDue = nowSeconds >= this.#retryAtSeconds;
    if (this.#offers) this.#encodedRate = decodedPerSecond;
    else this.#plainRate = decodedPerSecond;
    const isShorter = this.#offers ? wirePerSecond <= decodedPerSecond * MAX_RATIO : isTrial;
    const encodedPays = !isFast && isShorter && this.#encodedRate >= this.#plainRate * TOLERANCE;
    if (isTrial) this.#settle(encodedPays, nowSeconds, seconds);
    else if (!this.#offers) this.#offers = !isFast && isRetryDue;
    else if (isFast || !isShorter) this.#settle(false, nowSeconds, seconds);
    // The plain way's rate may be an old one, so it is measured again before anything is decided.
    else if (!encodedPays || isRetryDue) this.#offers = false;
  }

  #settle(encoded: boolean, nowSeconds: number, trialSeconds: number): void {
    this.#retrySeconds =
      encoded === this.#settled ? Math.min(this.#retrySeconds * 2, MAX_RETRY_SECONDS) : FIRST_RETRY_SECONDS;
    this.#settled = encoded;
    this.#offers = encoded;
    this.#retryAtSeconds = nowSeconds + Math.max(this.#retrySeconds, trialSeconds / TRIALS_PART);
  }
}
