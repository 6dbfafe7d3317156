import type { Clock } from '@model-rtc/protocol';
import type { Beat } from '../beats/beat.ts';

export interface BeatSpreadOptions {
  /** Members that are linked now. */
  readonly linked: () => readonly string[];
  readonly send: (key: string, beats: readonly Beat[]) => void;
  readonly clock: Pick<Clock, 'every'>;
}

interface Waiting {
  readonly beat: Beat;
  /** Members that have sent it. */
  readonly knownBy: Set<string>;
}

/** How often beats go on: they are in no hurry, and those that come together share a message. */
export const SPREAD_MS = 5_000;

/** Passes beats on to all linked members that have not sent them, many in one message: each link carries a beat about once. */
export class BeatSpread {
  readonly #options: BeatSpreadOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #stop: () => void;

  constructor(options: BeatSpreadOptions) {
    this.#options = options;
    this.#stop = options.clock.every(SPREAD_MS, () => this.#send());
  }

  /** These are news. @param fromKey who sent them; undefined for this node's own */
  add(beats: readonly Beat[], fromKey?: string): void {
    for (const beat of beats) {
      const known = this.#waiting.get(chainOf(beat));
      if (known !== undefined && known.beat.index >= beat.index) continue;
      this.#waiting.set(chainOf(beat), { beat, knownBy: new Set(fromKey === undefined ? [] : [fromKey]) });
    }
  }

  /** A member has these, so it need not be told. */
  knows(key: string, beats: readonly Beat[]): void {
    for (const beat of beats) {
      const waiting = this.#waiting.get(chainOf(beat));
      if (waiting !== undefined && waiting.beat.index <= beat.index) waiting.knownBy.add(key);
    }
  }

  close(): void {
    this.#stop();
  }

  #send(): void {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const key of this.#options.linked()) {
      const beats = waiting.filter(({ knownBy }) => !knownBy.has(key)).map(({ beat }) => beat);
      if (beats.length > 0) this.#options.send(key, beats);
    }
  }
}

function chainOf({ hint, sequence }: Beat): string {
  return `${hint}/${sequence}`;
}
