import {
  type Clock,
  deferred,
  longManifest,
  METHODS,
  type Method,
  ModelRtcError,
  prepareManifest,
} from '@model-rtc/protocol';

import { badResultError } from './errors.ts';
import type { ChunkPiece } from './peer.ts';

/** A request's callbacks without the types of its method. */
export interface PendingRequestCallbacks {
  readonly onEvent?: ((event: unknown) => void) | undefined;
  readonly onChunk?: ((piece: ChunkPiece) => void) | undefined;
}

export interface PendingRequestOptions extends PendingRequestCallbacks {
  readonly method: Method;
  readonly clock: Clock;
  /** How long it may stay silent; undefined for no limit. */
  readonly silenceMs: number | undefined;
  /** Nothing arrived for that long. */
  readonly onSilent: () => void;
}

/** A request of this side, from the first asking to its one answer; asking again does not make it another. */
export class PendingRequest {
  readonly method: Method;
  readonly #options: PendingRequestOptions;
  readonly #answer = deferred<unknown>();
  #settled = false;
  #lastHeardMs: number;
  #stopTimer: () => void = () => {};

  constructor(options: PendingRequestOptions) {
    this.method = options.method;
    this.#options = options;
    this.#lastHeardMs = options.clock.nowMs();
    this.#arm();
  }

  get answer(): Promise<unknown> {
    return this.#answer.promise;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Something arrived for it: the silence starts anew. */
  touch(): void {
    this.#lastHeardMs = this.#options.clock.nowMs();
  }

  /** Starts a silence anew after it was found too long. */
  watchAgain(): void {
    this.touch();
    this.#arm();
  }

  onReply(result: unknown): void {
    if (this.#settled) return;
    const manifest = longManifest(result);
    if (manifest === undefined) this.#takeReply(result);
    else void this.#takeManifest(manifest, result);
  }

  async #takeManifest(manifest: unknown, result: unknown): Promise<void> {
    // The answer is here, however long it takes to check.
    this.#stopTimer();
    await prepareManifest(manifest);
    this.#takeReply(result);
  }

  #takeReply(result: unknown): void {
    if (this.#settled) return;
    const parsed = METHODS[this.method].result.safeParse(result);
    if (!parsed.success) {
      this.fail(badResultError(this.method, parsed.error));
      return;
    }
    this.#settle();
    this.#answer.resolve(parsed.data);
  }

  onEvent(event: unknown): void {
    if (this.#settled) return;
    this.touch();
    const parsed = METHODS[this.method].event.safeParse(event);
    if (parsed.success) this.#call(() => this.#options.onEvent?.(parsed.data));
    else this.fail(badEventError(this.method, parsed.error));
  }

  onChunk(piece: ChunkPiece): void {
    if (this.#settled) return;
    this.touch();
    this.#call(() => this.#options.onChunk?.(piece));
  }

  fail(error: ModelRtcError): void {
    if (this.#settled) return;
    this.#settle();
    this.#answer.reject(error);
  }

  /** What the asker's own callback throws is for the asker alone. */
  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.fail(ModelRtcError.from(error));
    }
  }

  #settle(): void {
    this.#settled = true;
    this.#stopTimer();
  }

  #arm(): void {
    const { clock, silenceMs } = this.#options;
    if (silenceMs === undefined || this.#settled) return;
    const leftMs = this.#lastHeardMs + silenceMs - clock.nowMs();
    this.#stopTimer = clock.after(leftMs, () => this.#onTimer(silenceMs));
  }

  #onTimer(silenceMs: number): void {
    if (this.#settled) return;
    if (this.#options.clock.nowMs() - this.#lastHeardMs >= silenceMs) this.#options.onSilent();
    else this.#arm();
  }
}

function badEventError(method: Method, cause: Error): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    `The other side says of "${method}" what this version does not understand; run the same version of model-rtc on both sides.`,
    { cause },
  );
}
