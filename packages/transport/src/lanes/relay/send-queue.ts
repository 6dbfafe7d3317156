import type { ModelRtcError } from '@model-rtc/protocol';
import { messageCost } from '../../core/lane/lane-control.ts';
import type { OutgoingMessages } from '../../core/lane/windowed-lane.ts';

interface WaitingMessage {
  readonly message: Uint8Array;
  resolve(): void;
  reject(error: ModelRtcError): void;
}

/**
 * Messages on their way to the network, in order. One is handed over when the other side has granted credit for it and
 * the network has room; until then it waits here, in its sender's own buffer.
 */
export class SendQueue implements OutgoingMessages {
  readonly #hand: (message: Uint8Array) => Promise<void>;
  readonly #unsentBytes: () => number;
  readonly #waiting: WaitingMessage[] = [];
  #whenEmpty: (() => void) | undefined;
  #isHanding = false;
  #ended = false;
  #allowedCost = 0;
  #handedCost = 0;
  #acceptedBytes = 0;

  /**
   * @param hand takes a copy at once, and resolves when there is room for the next. It never rejects.
   * @param unsentBytes what was handed over and is not on the network yet
   */
  constructor(hand: (message: Uint8Array) => Promise<void>, unsentBytes: () => number) {
    this.#hand = hand;
    this.#unsentBytes = unsentBytes;
  }

  get acceptedBytes(): number {
    return this.#acceptedBytes;
  }

  get progress(): number {
    return this.#handedCost - this.#unsentBytes();
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Resolves when the message was handed over. */
  add(message: Uint8Array): Promise<void> {
    this.#acceptedBytes += message.byteLength;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject });
      void this.#pump();
    });
  }

  /** @param totalCost of all messages since the lane opened; a smaller one than before changes nothing */
  allow(totalCost: number): void {
    this.#allowedCost = Math.max(this.#allowedCost, totalCost);
    void this.#pump();
  }

  /** Calls back once all that was added before is handed over; at once when it is already. */
  whenEmpty(callback: () => void): void {
    this.#whenEmpty = callback;
    void this.#pump();
  }

  /** Hands over nothing more; waiting messages fail. */
  end(error: ModelRtcError): void {
    this.#ended = true;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  async #pump(): Promise<void> {
    if (this.#isHanding) return;
    this.#isHanding = true;
    for (let next = this.#nextAllowed(); next !== undefined; next = this.#nextAllowed()) {
      this.#waiting.shift();
      this.#handedCost += messageCost(next.message);
      const room = this.#hand(next.message);
      next.resolve();
      await room;
    }
    this.#isHanding = false;
    if (this.#ended || !this.isEmpty) return;
    const whenEmpty = this.#whenEmpty;
    this.#whenEmpty = undefined;
    whenEmpty?.();
  }

  #nextAllowed(): WaitingMessage | undefined {
    const next = this.#waiting[0];
    return next !== undefined && this.#handedCost + messageCost(next.message) <= this.#allowedCost ? next : undefined;
  }
}
