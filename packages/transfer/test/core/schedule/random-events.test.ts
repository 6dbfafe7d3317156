import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../../test/support/runs.ts';
import { ALL_WINDOWS_BYTES, ASK_AGAIN_MS, SOURCE_WINDOW_BYTES } from '../../../src/core/limits.ts';
import { bufferSize } from '../../../src/core/schedule/buffer-size.ts';
import { Schedule } from '../../../src/core/schedule/schedule.ts';

const MIB = 1024 * 1024;
const KINDS = ['verify', 'verify', 'verify', 'wrong', 'lost', 'lacking', 'lose', 'drop', 'join', 'wait'] as const;

type Event = readonly [kind: (typeof KINDS)[number], source: number, pick: number];

/** Watches a schedule from outside: what is asked of whom, and that no rule is broken. */
class Watched {
  readonly #schedule: Schedule;
  readonly #sizes: readonly number[];
  /** Chunks asked of each live source. */
  readonly #asked = new Map<number, Set<number>>();
  readonly #present = new Set<number>();
  readonly #lackedMs = new Map<string, number>();
  #nowMs = 0;

  constructor(sizes: readonly number[]) {
    this.#sizes = sizes;
    this.#schedule = new Schedule(Uint32Array.from(sizes), new Uint8Array(sizes.length));
    this.#asked.set(this.#schedule.addSource('own', [0, 3]), new Set());
    this.#join('a');
    this.#join('a');
    this.#join('b');
  }

  happen([kind, which, pick]: Event): void {
    this.#fill();
    const sources = [...this.#asked.keys()];
    const source = sources[which % sources.length];
    if (kind === 'wait') this.#nowMs += pick % 3_000;
    else if (kind === 'join') this.#join(['a', 'b', 'c'][pick % 3] as string);
    else if (kind === 'lose') this.#lose(pick);
    else if (source !== undefined && kind === 'drop') this.#drop(source);
    else if (source !== undefined) this.#answer(kind, source, pick);
    this.#check();
  }

  /** From here on every source does what it is asked. */
  end(): void {
    this.#join('last');
    for (let round = 0; round < 2_000 && !this.#schedule.allPresent; round++) {
      this.#fill();
      this.#check();
      for (const [source, asked] of this.#asked) {
        const [id] = asked;
        if (id !== undefined) this.#answer('verify', source, 0);
      }
      this.#nowMs += 200;
    }
    if (!this.#schedule.allPresent) throw new Error('chunks were lost');
    if (this.#present.size !== this.#sizes.length) throw new Error('chunks are there that never came');
  }

  #join(origin: string): void {
    this.#asked.set(this.#schedule.addSource(origin), new Set());
  }

  #drop(source: number): void {
    this.#schedule.drop(source);
    this.#asked.delete(source);
    if (this.#schedule.take(source, this.#nowMs).length > 0) throw new Error('a dropped source was asked');
  }

  #lose(pick: number): void {
    const lost = [...this.#present][pick % Math.max(1, this.#present.size)];
    if (lost === undefined) return;
    this.#present.delete(lost);
    this.#schedule.lost([lost]);
  }

  #answer(kind: Event[0], source: number, pick: number): void {
    const asked = this.#asked.get(source) ?? new Set();
    const id = [...asked][pick % Math.max(1, asked.size)];
    if (id === undefined) return;
    asked.delete(id);
    if (kind === 'lacking') {
      this.#schedule.lacking(source, id, this.#nowMs + ASK_AGAIN_MS);
      this.#lackedMs.set(`${source} ${id}`, this.#nowMs);
    } else if (kind === 'verify') {
      this.#schedule.arrived(source, id);
      for (const other of this.#schedule.verified(source, id, this.#nowMs)) this.#asked.get(other)?.delete(id);
      this.#present.add(id);
    } else this.#schedule.missed(source, id, kind === 'wrong' ? 'wrong' : 'lost', this.#nowMs);
  }

  #fill(): void {
    for (const [source, asked] of this.#asked) {
      for (let ids = this.#take(source); ids.length > 0; ids = this.#take(source)) {
        for (const id of ids) asked.add(id);
      }
    }
  }

  #take(source: number): number[] {
    const ids = this.#schedule.take(source, this.#nowMs);
    for (const id of ids) {
      const holders = [...this.#asked.values()].filter((asked) => asked.has(id)).length;
      if (this.#present.has(id)) throw new Error(`chunk ${id} is there and is asked for`);
      if (this.#asked.get(source)?.has(id)) throw new Error(`chunk ${id} is asked for twice of one source`);
      if (holders >= 2) throw new Error(`chunk ${id} is asked of three`);
      if (holders === 1 && this.#schedule.someMissing) throw new Error('asked twice though others are left');
      const lackedMs = this.#lackedMs.get(`${source} ${id}`) ?? Number.NEGATIVE_INFINITY;
      if (this.#nowMs - lackedMs < 1_000) throw new Error('asked at once for what it does not have');
    }
    return ids;
  }

  #check(): void {
    let all = 0;
    for (const asked of this.#asked.values()) {
      const used = [...asked].reduce((sum, id) => sum + bufferSize(this.#sizes[id] ?? 0), 0);
      if (used > SOURCE_WINDOW_BYTES) throw new Error('a window is too large');
      all += used;
    }
    if (all > ALL_WINDOWS_BYTES) throw new Error('all windows together are too large');
  }
}

describe('whatever happens', () => {
  it('no chunk is lost, none asked for without need, and the windows keep their bounds', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 4 * MIB }), { minLength: 4, maxLength: 60 });
    const events = fc.array(fc.tuple(fc.constantFrom(...KINDS), fc.nat(9), fc.nat()), { maxLength: 300 });
    fc.assert(
      fc.property(sizes, events, (list, happening) => {
        const watched = new Watched(list);
        for (const event of happening) watched.happen(event);
        watched.end();
      }),
      { numRuns: runs(300) },
    );
  });
});
