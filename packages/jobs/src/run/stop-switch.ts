import { ModelRtcError } from '@model-rtc/protocol';
import type { Stop } from './types.ts';

/** Stops one job; the first reason counts. */
export class StopSwitch {
  readonly #controller = new AbortController();
  #reason: Stop | undefined;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get reason(): Stop | undefined {
    return this.#reason;
  }

  stop(reason: Stop): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller.abort(new ModelRtcError(reason.error.code, reason.error.message));
  }

  /** @throws ModelRtcError when it was stopped */
  check(): void {
    this.signal.throwIfAborted();
  }
}
