import type { Clock } from '@model-rtc/protocol';
import { LIMITED_STEP_BYTES, SLOW_ORIGIN_BYTES, SOURCE_STALL_MS } from '../limits.ts';

/** What came during a wait: the lane's own bytes, and those of all lanes of its origin. */
export interface FlowSince {
  readonly ownBytes: number;
  readonly originBytes: number;
}

/** How much comes from an origin over all its lanes: the sender shares its rate limit among them. */
export class OriginFlow {
  readonly #owing: () => number;
  #bytes = 0;

  /** @param owing - how many of the origin's lanes owe chunks now */
  constructor(owing: () => number) {
    this.#owing = owing;
  }

  /** All that ever came. */
  get bytes(): number {
    return this.#bytes;
  }

  came(bytes: number): void {
    this.#bytes += bytes;
  }

  /**
   * Whether a lane that brought no right chunk in SOURCE_STALL_MS is only slow. A lane that got nothing at all still is,
   * while the origin is so slow that each of the other lanes may be served first.
   */
  isSlow({ ownBytes, originBytes }: FlowSince): boolean {
    if (originBytes < SLOW_ORIGIN_BYTES) return false;
    return ownBytes > 0 || originBytes < this.#owing() * LIMITED_STEP_BYTES;
  }
}

/** Whether bytes come at all while no chunk gets whole: a large chunk takes minutes on a slow link. */
export class SlowFlow {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #bytes = 0;
  #movedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** @param bytes - all that ever came */
  look(bytes: number): void {
    if (bytes - this.#bytes < SLOW_ORIGIN_BYTES) return;
    this.#bytes = bytes;
    this.#movedAtMs = this.#clock.nowMs();
  }

  get isFlowing(): boolean {
    return this.#clock.nowMs() - this.#movedAtMs < SOURCE_STALL_MS;
  }
}
