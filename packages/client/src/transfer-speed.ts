import type { AliasConflict, Clock, IfExists } from '@model-rtc/protocol';
import {
  type BackgroundLimiter,
  type CompressMode,
  combine,
  createBackgroundLimiter,
  createRateLimiter,
  type Prioritized,
  type Priority,
  type RateLimiter,
  type SizeTier,
} from '@model-rtc/transfer';
import type { LaneInfo } from '@model-rtc/transport';
import type { OnModelProgress } from './progress.ts';

/** How one transfer treats the network. */
export interface SpeedOptions {
  /** The most that it may transfer, in bytes a second. */
  readonly limitBytesPerSecond?: number | undefined;
  /** Give way to other traffic: slow down when round trips take longer. */
  readonly nice?: boolean | undefined;
  /** Whether chunks may come encoded where that is faster; `auto` when left out. */
  readonly compress?: CompressMode | undefined;
  /** Which of this machine's transfers go first; normal when left out. A low one gives way to other traffic, as with `nice`. */
  readonly priority?: Priority | undefined;
  /** How long it waits for a lost worker to come back, or for anything to come, in milliseconds; 2 min when left out. */
  readonly maxReconnectMs?: number | undefined;
}

/** What a command's options say about the network, for each transfer that it begins. */
export function speedOf(options: SpeedOptions): SpeedOptions {
  const { limitBytesPerSecond, nice, compress, priority, maxReconnectMs } = options;
  return { limitBytesPerSecond, nice, compress, priority, maxReconnectMs };
}

/** The options of both a pull and a push. */
export interface TransferOptions extends SpeedOptions {
  /** The model's alias at the receiver. Without it, a model that is there keeps its own; any other takes the sender's. */
  readonly alias?: string | undefined;
  /** What happens to an alias that another model there has. Without it, it is refused, or taken over with `overwrite`. */
  readonly aliasConflict?: AliasConflict | undefined;
  /** `skip` leaves a whole model as it is. `overwrite` verifies it and transfers what is damaged. */
  readonly ifExists?: IfExists | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnModelProgress | undefined;
}

/** Limits on all transfers of this agent together. */
export interface AgentLimits {
  readonly up?: RateLimiter | undefined;
  readonly down?: RateLimiter | undefined;
  /** How fast each transfer may be, by the size of its model. */
  readonly bySize?: readonly SizeTier[] | undefined;
}

/** The background limiter takes a sample at most this often, since lanes measure their round trip no more often. */
const SAMPLE_INTERVAL_MS = 500;

/** The rate limit of one transfer, within that of its agent. */
export class TransferSpeed {
  /** Undefined when there is no limit. */
  readonly limiter: RateLimiter | undefined;
  readonly #background: BackgroundLimiter;
  readonly #clock: Clock;
  #sampled: { readonly atMs: number; readonly bytes: number } | undefined;
  #isNice: boolean;
  /** Whether all that came last came over no lane, as from a hub. */
  #hasNoLanes = false;

  constructor(
    { limitBytesPerSecond: limit, nice = false }: SpeedOptions,
    agent: RateLimiter | undefined,
    clock: Clock,
    transfer?: Pick<Prioritized, 'onPriority'>,
  ) {
    this.#clock = clock;
    this.#isNice = nice;
    this.#background = createBackgroundLimiter({ maxBytesPerSecond: limit, isOn: nice, clock });
    transfer?.onPriority((priority) => {
      this.#isNice = nice || priority === 'low';
      this.#switch();
    });
    const all = [
      ...(nice || transfer !== undefined ? [this.#background] : []),
      ...(limit === undefined ? [] : [createRateLimiter({ bytesPerSecond: limit })]),
      ...(agent === undefined ? [] : [agent.share?.() ?? agent]),
    ];
    this.limiter = all.length === 0 ? undefined : all.reduce(combine);
  }

  /** Takes the bytes that the transfer has moved so far, and the lanes that it uses. */
  moved(bytes: number, lanes: readonly LaneInfo[]): void {
    if (!this.#isNice) return;
    this.#hasNoLanes = lanes.length === 0 && bytes > 0;
    this.#switch();
    if (!this.#background.isOn) return;
    const atMs = this.#clock.nowMs();
    // Measured since the last sample: an average over seconds lags behind a rate that doubles with each sample.
    this.#sampled ??= { atMs, bytes };
    const passedMs = atMs - this.#sampled.atMs;
    if (passedMs < SAMPLE_INTERVAL_MS) return;
    const rttMs = Math.min(...lanes.map((lane) => lane.rttMs ?? Number.POSITIVE_INFINITY));
    if (!Number.isFinite(rttMs)) return;
    const cameBytes = Math.max(0, bytes - this.#sampled.bytes);
    this.#sampled = { atMs, bytes };
    this.#background.sample({ rttMs, bytesPerSecond: (cameBytes * 1000) / passedMs });
  }

  /** Sources over HTTP tell no round trip. Without any, nobody knows when to give way, and the transfer would stay as slow as it begins. */
  #switch(): void {
    this.#background.isOn = this.#isNice && !this.#hasNoLanes;
  }
}

/** A smaller model is transferred before further connections have come up. */
const BULK_BYTES = 8 * 1024 * 1024;

/** Whether a model is so large that its transfer may need more than one connection. */
export function isBulk({ size }: { readonly size: number }): boolean {
  return size >= BULK_BYTES;
}
