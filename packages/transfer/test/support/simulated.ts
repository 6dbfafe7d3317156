import { Schedule } from '../../src/core/schedule/schedule.ts';

/** A source in virtual time: answers what it is asked in order, each byte at its rate, after a delay. */
export interface SimulatedSource {
  readonly name: string;
  readonly bytesPerSecond: number;
  readonly delayMs?: number;
  /** It answers nothing from then on, and does not say so. */
  readonly silentFromMs?: number;
  /** It is gone, and everybody knows. */
  readonly leavesAtMs?: number;
  readonly joinsAtMs?: number;
}

export interface Simulated {
  readonly tookMs: number;
  readonly asked: number;
  /** Bytes that were sent of chunks that were there already, or half sent when they were called back. */
  readonly duplicateBytes: number;
  readonly bytesOf: ReadonlyMap<string, number>;
}

interface Running {
  readonly source: SimulatedSource;
  readonly number: number;
  /** What it still has to send, in order, and when it may begin with each. */
  readonly queue: { id: number; notBeforeMs: number; leftBytes: number }[];
}

const STEP_MS = 1;
const TICK_MS = 100;

/** Lets the sources send all chunks, a millisecond at a time; a chunk that came whole is verified at once. */
export class Simulation {
  readonly #schedule: Schedule;
  readonly #sizes: Uint32Array;
  readonly #waiting: SimulatedSource[];
  #running: Running[] = [];
  readonly #bytesOf = new Map<string, number>();
  #nowMs = 0;
  #asked = 0;
  #duplicateBytes = 0;

  constructor(sizes: readonly number[], sources: readonly SimulatedSource[]) {
    this.#sizes = Uint32Array.from(sizes);
    this.#schedule = new Schedule(this.#sizes, new Uint8Array(sizes.length));
    this.#waiting = [...sources];
  }

  run(limitMs = 1_000_000): Simulated {
    while (!this.#schedule.allPresent) {
      if (this.#nowMs > limitMs) throw new Error(`not done after ${limitMs} ms`);
      this.#comeAndGo();
      if (this.#nowMs % TICK_MS === 0) for (const running of this.#running) this.#fill(running);
      for (const running of [...this.#running]) this.#send(running);
      this.#nowMs += STEP_MS;
    }
    const { sizes, asked } = { sizes: this.#sizes, asked: this.#asked };
    if (asked < sizes.length) throw new Error('chunks came that nobody was asked for');
    return { tookMs: this.#nowMs, asked, duplicateBytes: this.#duplicateBytes, bytesOf: this.#bytesOf };
  }

  #comeAndGo(): void {
    for (const source of [...this.#waiting]) {
      if ((source.joinsAtMs ?? 0) > this.#nowMs) continue;
      this.#waiting.splice(this.#waiting.indexOf(source), 1);
      this.#running.push({ source, number: this.#schedule.addSource(source.name), queue: [] });
      for (const running of this.#running) this.#fill(running);
    }
    for (const running of this.#running) {
      if ((running.source.leavesAtMs ?? Number.POSITIVE_INFINITY) > this.#nowMs) continue;
      this.#schedule.drop(running.number);
      this.#running = this.#running.filter((other) => other !== running);
    }
  }

  #fill({ source, number, queue }: Running): void {
    const notBeforeMs = this.#nowMs + (source.delayMs ?? 0);
    for (;;) {
      const ids = this.#schedule.take(number, this.#nowMs);
      if (ids.length === 0) return;
      this.#asked += ids.length;
      queue.push(...ids.map((id) => ({ id, notBeforeMs, leftBytes: this.#sizes[id] ?? 0 })));
    }
  }

  #send(running: Running): void {
    const { source, queue, number } = running;
    if ((source.silentFromMs ?? Number.POSITIVE_INFINITY) <= this.#nowMs) return;
    for (let bytes = (source.bytesPerSecond * STEP_MS) / 1000; bytes > 0; ) {
      const [next] = queue;
      if (next === undefined || next.notBeforeMs > this.#nowMs) return;
      const sent = Math.min(bytes, next.leftBytes);
      next.leftBytes -= sent;
      bytes -= sent;
      if (next.leftBytes > 0) return;
      queue.shift();
      this.#arrived(running, next.id);
      this.#bytesOf.set(source.name, (this.#bytesOf.get(source.name) ?? 0) + (this.#sizes[next.id] ?? 0));
      this.#fill(this.#running.find((other) => other.number === number) ?? running);
    }
  }

  #arrived({ number }: Running, id: number): void {
    this.#schedule.arrived(number, id);
    for (const other of this.#schedule.verified(number, id, this.#nowMs)) {
      const running = this.#running.find((candidate) => candidate.number === other);
      const at = running?.queue.findIndex((asked) => asked.id === id) ?? -1;
      if (running === undefined || at < 0) continue;
      this.#duplicateBytes += (this.#sizes[id] ?? 0) - (running.queue[at]?.leftBytes ?? 0);
      running.queue.splice(at, 1);
      this.#fill(running);
    }
  }
}
