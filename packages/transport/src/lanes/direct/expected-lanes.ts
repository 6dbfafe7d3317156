import { createHash, randomBytes } from 'node:crypto';
import { type Clock, cancelledBy, ModelRtcError } from '@model-rtc/protocol';

import type { Lane } from '../../core/lane/lane.ts';
import { MAX_EXPECTED_LANES } from './limits.ts';

const TOKEN_BYTES = 32;

interface ExpectedLane {
  resolve(lane: Lane): void;
  reject(error: ModelRtcError): void;
}

export interface ExpectOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The lanes that were offered and are waited for, each known by a token that is good once. */
export class ExpectedLanes {
  /** By the token's hash, so that the time of a look-up reveals nothing about tokens. */
  readonly #waiting = new Map<string, ExpectedLane>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** @throws ModelRtcError `busy` when too many are waited for; `cancelled` for a signal that was aborted before */
  add({ timeoutMs, signal }: ExpectOptions): { readonly token: Uint8Array<ArrayBuffer>; readonly lane: Promise<Lane> } {
    if (signal?.aborted) throw cancelledBy(signal);
    if (this.#waiting.size >= MAX_EXPECTED_LANES) throw tooManyError();
    const token = new Uint8Array(randomBytes(TOKEN_BYTES));
    const key = keyOf(token);
    const lane = new Promise<Lane>((resolve, reject) => {
      const stopTimer = this.#clock.after(timeoutMs, () => settle(() => reject(nobodyConnectedError(timeoutMs))));
      const onAbort = () => settle(() => reject(cancelledBy(signal)));
      const settle = (how: () => void) => {
        stopTimer();
        signal?.removeEventListener('abort', onAbort);
        this.#waiting.delete(key);
        how();
      };
      signal?.addEventListener('abort', onAbort);
      this.#waiting.set(key, {
        resolve: (arrived) => settle(() => resolve(arrived)),
        reject: (error) => settle(() => reject(error)),
      });
    });
    lane.catch(() => {}); // The caller need not await it.
    return { token, lane };
  }

  /** Uses a token up. @returns the function that takes its lane; undefined for an unknown, used or expired token. */
  claim(token: Uint8Array): ((lane: Lane) => void) | undefined {
    const key = keyOf(token);
    const expected = this.#waiting.get(key);
    this.#waiting.delete(key);
    return expected?.resolve;
  }

  /** Rejects everything that is still expected. */
  end(error: ModelRtcError): void {
    for (const { reject } of [...this.#waiting.values()]) reject(error);
  }
}

function keyOf(token: Uint8Array): string {
  return createHash('sha256').update(token).digest('hex');
}

function nobodyConnectedError(timeoutMs: number): ModelRtcError {
  return new ModelRtcError(
    'timeout',
    `No direct connection arrived within ${timeoutMs / 1000} s. A firewall may block this machine's port; other lanes still work.`,
    { details: { timeoutMs } },
  );
}

function tooManyError(): ModelRtcError {
  return new ModelRtcError('busy', 'Too many direct connections are expected already; try again in a moment.', {
    details: { most: MAX_EXPECTED_LANES },
  });
}
