import type { ModelRtcError } from '@model-rtc/protocol';
import type { Lane, LaneStats } from './lane.ts';
import { assertMessageFits, LaneEnd, laneAbortedError, laneClosedError, laneLostError } from './lane-end.ts';
import { LaneQueue } from './lane-queue.ts';

export interface MemoryLaneOptions {
  /** In bytes; 256 KiB when left out. */
  readonly maxMessageSize?: number | undefined;
  /** Bytes that may wait unread at the other end before `send` waits; 1 MiB when left out. */
  readonly highWaterMark?: number | undefined;
}

/** Ways in which a test makes the lane fail. They act on what this end sends, except `cut`. */
export interface LaneFaults {
  /**
   * From now on everything that this end sends vanishes silently, its end too: a hung lane. As on a real one,
   * `send` never resolves once the high-water mark is reached.
   */
  hang(): void;
  /** Every message passes through `change` on its way: it may alter its bytes, or lose it by giving undefined. */
  damage(change: (message: Uint8Array) => Uint8Array | undefined): void;
  /** Both ends fail at once with a `network` error. */
  cut(): void;
}

export interface MemoryLane extends Lane {
  readonly faults: LaneFaults;
}

/** Two ends of one lane inside this process, for tests and for agents that share a process. */
export function createMemoryLanes(options: MemoryLaneOptions = {}): [MemoryLane, MemoryLane] {
  const left = new MemoryLaneEnd(options);
  const right = new MemoryLaneEnd(options);
  left.join(right);
  right.join(left);
  return [left, right];
}

interface WaitingSend {
  resolve(): void;
  reject(error: ModelRtcError): void;
}

class MemoryLaneEnd implements MemoryLane {
  readonly kind = 'memory';
  readonly engine = undefined;
  readonly maxMessageSize: number;
  readonly faults: LaneFaults;
  readonly #highWaterMark: number;
  readonly #end = new LaneEnd();
  readonly #queue = new LaneQueue((message) => {
    if (!this.#hung) this.#other?.onRead(message.byteLength);
  });
  readonly #waiting: WaitingSend[] = [];
  #other: MemoryLaneEnd | undefined;
  #onTheWayBytes = 0;
  #sentBytes = 0;
  #receivedBytes = 0;
  #heard = 0;
  #hung = false;
  #change: (message: Uint8Array) => Uint8Array | undefined = (message) => message;

  constructor({ maxMessageSize = 256 * 1024, highWaterMark = 1024 * 1024 }: MemoryLaneOptions) {
    this.maxMessageSize = maxMessageSize;
    this.#highWaterMark = highWaterMark;
    this.faults = {
      hang: () => {
        this.#hung = true;
      },
      damage: (change) => {
        this.#change = change;
      },
      cut: () => {
        this.#finish(laneLostError());
        this.#other?.onLost();
      },
    };
  }

  join(other: MemoryLaneEnd): void {
    this.#other = other;
  }

  get messages(): AsyncIterable<Uint8Array> {
    return this.#queue;
  }

  get closed(): Promise<ModelRtcError | undefined> {
    return this.#end.closed;
  }

  stats(): LaneStats {
    return { sentBytes: this.#sentBytes, receivedBytes: this.#receivedBytes, heard: this.#heard };
  }

  async send(message: Uint8Array): Promise<void> {
    if (this.#end.ended) throw this.#end.sendError();
    assertMessageFits(message, this.maxMessageSize);
    this.#sentBytes += message.byteLength;
    const arriving = this.#hung ? message : this.#change(message.slice());
    if (arriving === undefined) return;
    this.#onTheWayBytes += arriving.byteLength;
    if (!this.#hung) this.#other?.onMessage(arriving);
    if (this.#onTheWayBytes < this.#highWaterMark) return;
    await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** All that was sent is at the other end already, so a `send` that waits for room has done its work. */
  async close(): Promise<void> {
    for (const send of this.#waiting.splice(0)) send.resolve();
    if (!this.#finish(undefined) || this.#hung) return;
    this.#other?.onClosed();
  }

  abort(reason: ModelRtcError = laneAbortedError()): void {
    if (!this.#finish(reason) || this.#hung) return;
    this.#other?.onLost(reason);
  }

  onMessage(message: Uint8Array): void {
    this.#heard++;
    this.#receivedBytes += message.byteLength;
    this.#queue.push(message);
  }

  onRead(bytes: number): void {
    this.#onTheWayBytes -= bytes;
    this.#heard++;
    if (this.#onTheWayBytes >= this.#highWaterMark) return;
    for (const send of this.#waiting.splice(0)) send.resolve();
  }

  onClosed(): void {
    this.#finish(undefined);
  }

  onLost(cause?: ModelRtcError): void {
    this.#finish(laneLostError(cause));
  }

  #finish(error: ModelRtcError | undefined): boolean {
    if (!this.#end.settle(error)) return false;
    this.#queue.end();
    for (const send of this.#waiting.splice(0)) send.reject(error ?? laneClosedError());
    return true;
  }
}
