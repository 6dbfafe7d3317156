import type { PushEvent } from '@model-rtc/protocol';
import { RateMeter, Watchdog } from '@model-rtc/transfer';
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

/** What is known of a transfer that the other side runs. */
export interface RemoteProgress extends Omit<PushEvent, 'type'> {
  readonly transferredBytes: number;
  readonly bytesPerSecond: number;
  readonly secondsLeft: number | undefined;
}

/** Follows one command's transfer over all its connections. */
export class TransferTally {
  /** How long nothing came, over all connections. */
  readonly watchdog = new Watchdog();
  readonly #startedMs = performance.now();
  readonly #rate = new RateMeter(performance.now());
  #doneBytes = 0;
  #firstChunkMs: number | undefined;
  /** What an earlier command had fetched: all that comes later, this one fetched, over whichever connection. */
  #resumedAtStart: number | undefined;

  note(progress: Pick<RemoteProgress, 'state' | 'doneBytes' | 'transferredBytes' | 'resumedBytes'>): void {
    const { state, doneBytes, transferredBytes, resumedBytes } = progress;
    if (transferredBytes > 0) this.#firstChunkMs ??= performance.now();
    if (state !== 'preparing') this.#resumedAtStart ??= resumedBytes;
    if (doneBytes === this.#doneBytes) return;
    this.#doneBytes = doneBytes;
    this.watchdog.progressed();
  }

  /** Takes what the receiver says of a push, and adds what this side can tell: rate and time left. */
  noteRemote({ type: _, ...event }: PushEvent): RemoteProgress {
    const transferredBytes = Math.max(0, event.doneBytes - event.reusedBytes - event.resumedBytes);
    this.note({ ...event, transferredBytes });
    const bytesPerSecond = this.#rate.bytesPerSecond(transferredBytes, performance.now());
    const left = event.totalBytes - event.doneBytes;
    const secondsLeft = bytesPerSecond > 0 ? Math.ceil(left / bytesPerSecond) : undefined;
    return { ...event, transferredBytes, bytesPerSecond, secondsLeft };
  }

  report(peer: Peer, bytes: Pick<TransferReport, 'transferredBytes' | 'reusedBytes' | 'resumedBytes'>): TransferReport {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const resumedBytes = Math.min(bytes.resumedBytes, this.#resumedAtStart ?? bytes.resumedBytes);
    const transferredBytes = bytes.transferredBytes + bytes.resumedBytes - resumedBytes;
    return {
      transferredBytes,
      reusedBytes: bytes.reusedBytes,
      resumedBytes,
      seconds,
      bytesPerSecond: seconds > 0 ? transferredBytes / seconds : 0,
      lanes: [...peer.lanes],
      firstChunkMs: this.#firstChunkMs,
    };
  }
}
