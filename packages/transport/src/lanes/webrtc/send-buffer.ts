import type { ModelRtcError } from '@model-rtc/protocol';
import { messageCost } from '../../core/lane/lane-control.ts';
import type { OutgoingMessages } from '../../core/lane/windowed-lane.ts';
import type { EngineConnection } from './engine.ts';

/** The engines' events of a buffer that drained may be missing, so it is looked at as well. */
const POLL_MS = 10;

interface WaitingMessage {
  readonly message: Uint8Array;
  resolve(): void;
  reject(error: ModelRtcError): void;
}

/**
 * Messages on their way to an engine, in order. One is handed over when the other side has granted credit for it and
 * the engine has less buffered than its high-water mark; until then it waits here, in its sender's own buffer.
 */
export class SendBuffer implements OutgoingMessages {
  readonly #connection: EngineConnection;
  readonly #highWaterMark: number;
  readonly #onFailure: (cause: unknown) => void;
  #waiting: WaitingMessage[] = [];
  #whenEmpty: (() => void) | undefined;
  #poll: NodeJS.Timeout | undefined;
  #allowedCost = 0;
  #handedCost = 0;
  #acceptedBytes = 0;
  #handedBytes = 0;

  /** @param onFailure is told when the connection does not take a message */
  constructor(connection: EngineConnection, highWaterMark: number, onFailure: (cause: unknown) => void) {
    this.#connection = connection;
    this.#highWaterMark = highWaterMark;
    this.#onFailure = onFailure;
  }

  get acceptedBytes(): number {
    return this.#acceptedBytes;
  }

  get progress(): number {
    return this.#handedBytes - this.#connection.bufferedAmount();
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Resolves when the message is with the engine, which has a copy then. */
  add(message: Uint8Array): Promise<void> | undefined {
    this.#acceptedBytes += message.byteLength;
    if (this.isEmpty && this.#hasRoomFor(message)) {
      this.#hand(message);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject });
      this.#poll ??= setInterval(() => this.pump(), POLL_MS);
    });
  }

  /** @param totalCost of all messages since the lane opened; a smaller one than before changes nothing */
  allow(totalCost: number): void {
    this.#allowedCost = Math.max(this.#allowedCost, totalCost);
    this.pump();
  }

  /** Hands over what there is room for. */
  pump(): void {
    let next = this.#waiting[0];
    while (next !== undefined && this.#hasRoomFor(next.message)) {
      this.#waiting.shift();
      this.#hand(next.message);
      next.resolve();
      next = this.#waiting[0];
    }
    if (next !== undefined) return;
    this.#stopPolling();
    const whenEmpty = this.#whenEmpty;
    this.#whenEmpty = undefined;
    whenEmpty?.();
  }

  /** Calls back once all that was added before is with the engine; at once when it is already. */
  whenEmpty(callback: () => void): void {
    this.#whenEmpty = callback;
    this.pump();
  }

  /** Hands over nothing more; waiting messages fail. */
  end(error: ModelRtcError): void {
    this.#stopPolling();
    this.#whenEmpty = undefined;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #hasRoomFor(message: Uint8Array): boolean {
    if (this.#handedCost + messageCost(message) > this.#allowedCost) return false;
    return this.#connection.bufferedAmount() < this.#highWaterMark;
  }

  #hand(message: Uint8Array): void {
    this.#handedCost += messageCost(message);
    this.#handedBytes += message.byteLength;
    try {
      this.#connection.send(message);
    } catch (cause) {
      this.#onFailure(cause);
    }
  }

  #stopPolling(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
  }
}
