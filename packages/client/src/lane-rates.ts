import type { Clock } from '@model-rtc/protocol';
import { type LaneBytes, RateMeter } from '@model-rtc/transfer';
import type { LaneInfo } from '@model-rtc/transport';

/** How fast each of a peer's lanes sends, as their counters grow. */
export class LaneRates {
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** By what tells the lanes of one connection apart. */
  readonly #meters = new Map<string, RateMeter>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** There is another connection: it numbers its lanes from the start, and they have sent nothing yet. */
  startOver(): void {
    this.#meters.clear();
  }

  /** @param source - what the agent at the other end is called. */
  sent(lanes: readonly LaneInfo[], source: string): LaneBytes[] {
    const nowMs = this.#clock.nowMs();
    const names = lanes.map(({ id, kind, engine }) => `${id} ${kind} ${engine}`);
    for (const name of this.#meters.keys()) if (!names.includes(name)) this.#meters.delete(name);
    return lanes.map(({ id, kind, engine, sentBytes: bytes }, i) => {
      const name = names[i] as string;
      const meter = this.#meters.get(name) ?? new RateMeter(nowMs);
      this.#meters.set(name, meter);
      return { source, id, kind, engine, bytes, bytesPerSecond: meter.bytesPerSecond(bytes, nowMs) };
    });
  }
}
