import { type Clock, ModelRtcError, PEER_GONE_MS, PING_INTERVAL_MS } from '@model-rtc/protocol';

import type { Lane } from '../lane/lane.ts';
import { LIVENESS_TICK_MS, PEER_MUTE_MS } from './limits.ts';

export interface LivenessOptions {
  readonly lane: Pick<Lane, 'stats'>;
  readonly clock: Clock;
  readonly ping: () => void;
  readonly onGone: (error: ModelRtcError) => void;
}

/**
 * Notices within PEER_GONE_MS that the other side is gone. Anything that arrives counts, so that a slow lane or a busy machine
 * is not taken for a dead one. If no message arrives, it pings.
 */
export class Liveness {
  readonly #options: LivenessOptions;
  #stopTimer: () => void = () => {};
  #lastTickMs: number;
  #lastHeard: number;
  #lastReceivedBytes: number;
  #silentMs = 0;
  #messagelessMs = 0;
  #pingAtMs = PING_INTERVAL_MS;

  constructor(options: LivenessOptions) {
    this.#options = options;
    const { heard, receivedBytes } = options.lane.stats();
    this.#lastHeard = heard;
    this.#lastReceivedBytes = receivedBytes;
    this.#lastTickMs = options.clock.nowMs();
    this.#arm();
  }

  stop(): void {
    this.#stopTimer();
    this.#stopTimer = () => {};
  }

  #arm(): void {
    this.#stopTimer = this.#options.clock.after(LIVENESS_TICK_MS, () => this.#tick());
  }

  #tick(): void {
    const { clock, ping, onGone } = this.#options;
    const nowMs = clock.nowMs();
    // If a tick is late, this process was busy or asleep, and has not read yet what arrived meanwhile.
    const passedMs = Math.min(nowMs - this.#lastTickMs, 2 * LIVENESS_TICK_MS);
    this.#lastTickMs = nowMs;
    this.#listen(passedMs);
    // A tick early: the last sign of life came anywhere between two ticks.
    if (this.#silentMs >= PEER_GONE_MS - LIVENESS_TICK_MS || this.#messagelessMs >= PEER_MUTE_MS) {
      onGone(goneError(Math.round(Math.max(this.#silentMs, this.#messagelessMs) / 1000)));
      return;
    }
    this.#arm();
    if (this.#messagelessMs < this.#pingAtMs) return;
    this.#pingAtMs = this.#messagelessMs + PING_INTERVAL_MS;
    ping();
  }

  #listen(passedMs: number): void {
    const { heard, receivedBytes } = this.#options.lane.stats();
    const hasMessage = receivedBytes !== this.#lastReceivedBytes;
    this.#silentMs = hasMessage || heard !== this.#lastHeard ? 0 : this.#silentMs + passedMs;
    this.#messagelessMs = hasMessage ? 0 : this.#messagelessMs + passedMs;
    if (hasMessage) this.#pingAtMs = PING_INTERVAL_MS;
    this.#lastHeard = heard;
    this.#lastReceivedBytes = receivedBytes;
  }
}

function goneError(silentSeconds: number): ModelRtcError {
  return new ModelRtcError(
    'network',
    `The other side is gone: it has said nothing for ${silentSeconds} s. Check that it runs and that the network is up, then try again.`,
  );
}
