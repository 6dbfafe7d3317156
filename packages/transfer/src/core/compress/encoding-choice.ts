/** Whether chunks are sent encoded: when it pays, or never. */
export type CompressMode = 'auto' | 'off';

/** A path that carries more than this, on all lanes together, is faster than the CPUs that would encode for it. */
const FAST_PATH_BYTES_PER_SECOND = 40e6;
/** A rate is measured over at least this: long enough for windows to fill, and a few chunks. */
const MEASURE_SECONDS = 1.5;
const MEASURE_BYTES = 2 * 1024 * 1024;
/** A smaller loss may be chance. */
const TOLERANCE = 0.97;
/** An encoding that saves less than this does not pay at any rate. */
const MAX_RATIO = 0.95;
/** How long until the other way is tried again; longer each time that it was no better. */
const FIRST_RETRY_SECONDS = 30;
const MAX_RETRY_SECONDS = 120;
/** On a very slow path a trial itself takes long: trials may take at most this part of the time. */
const TRIALS_PART = 1 / 20;

export interface ArrivedBytes {
  /** Whether their request offered encodings. */
  readonly offered: boolean;
  /** Bytes of chunks, decoded and as they came. An encoded chunk counts as decoded when it is whole. */
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
 * Decides whether requests offer encodings, from how fast chunks arrive: it measures both ways one after the other, keeps
 * the better one, and tries the other again now and then.
 */
export class EncodingChoice {
  readonly #mode: CompressMode;
  #offers = false;
  /** The better way so far; when `offers` differs, the other one is on trial. */
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

  /** Counts what arrived. @param nowSeconds - from a clock that never goes back */
  arrived({ offered, decodedBytes, wireBytes }: ArrivedBytes, nowSeconds: number): void {
    if (this.#mode === 'off') return;
    // After a change, answers to earlier requests still come; a mix says nothing about either way.
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
    // The rate of the plain way may be out of date, so it is measured again before anything is decided.
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
