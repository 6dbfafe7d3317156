import type { TransferProgress } from '@model-rtc/transfer';
import type { LaneInfo, Peer } from '@model-rtc/transport';

/** What a finished transfer says of itself. */
export interface TransferReport {
  /** Bytes that crossed the network, of all attempts of this command. */
  readonly transferredBytes: number;
  /** Bytes that the receiver's disk had already, in other models. */
  readonly reusedBytes: number;
  /** Bytes that an earlier attempt had fetched. */
  readonly resumedBytes: number;
  readonly seconds: number;
  readonly bytesPerSecond: number;
  readonly lanes: readonly LaneInfo[];
  /** Milliseconds of `performance.now()`, so counted from the start of the process; undefined when nothing was transferred. */
  readonly firstChunkMs: number | undefined;
}

/** Follows one command's transfer over all its connections. */
export class TransferTally {
  readonly #startedMs = performance.now();
  #doneBytes = 0;
  #firstChunkMs: number | undefined;
  #lastProgressMs = this.#startedMs;
  /** What connections before the present one carried. */
  #carriedBytes = 0;
  #transferredBytes = 0;

  get lastProgressMs(): number {
    return this.#lastProgressMs;
  }

  /** Counts as progress what is not bytes: the other side is known to be working. */
  touch(): void {
    this.#lastProgressMs = performance.now();
  }

  note({ doneBytes, transferredBytes }: Pick<TransferProgress, 'doneBytes' | 'transferredBytes'>): void {
    if (transferredBytes > 0) this.#firstChunkMs ??= performance.now();
    if (transferredBytes < this.#transferredBytes) this.#carriedBytes += this.#transferredBytes;
    this.#transferredBytes = transferredBytes;
    if (doneBytes === this.#doneBytes) return;
    this.#doneBytes = doneBytes;
    this.#lastProgressMs = performance.now();
  }

  report(peer: Peer, bytes: Pick<TransferReport, 'transferredBytes' | 'reusedBytes' | 'resumedBytes'>): TransferReport {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const transferredBytes = this.#carriedBytes + bytes.transferredBytes;
    return {
      transferredBytes,
      reusedBytes: bytes.reusedBytes,
      // What an earlier connection of this same command fetched is "transferred", not "resumed".
      resumedBytes: Math.max(0, bytes.resumedBytes - this.#carriedBytes),
      seconds,
      bytesPerSecond: seconds > 0 ? transferredBytes / seconds : 0,
      lanes: [...peer.lanes],
      firstChunkMs: this.#firstChunkMs,
    };
  }
}
