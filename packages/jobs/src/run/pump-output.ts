import type { Readable } from 'node:stream';
import type { Clock } from '@model-rtc/protocol';
import { PROGRESS_INTERVAL_MS } from '../limits.ts';
import type { EventLog } from '../log/event-log.ts';
import { LineSplitter, type OutputLine } from '../log/line-splitter.ts';
import type { Progress } from '../runners/read-progress.ts';

export interface PumpOptions {
  readonly events: EventLog;
  readonly clock: Clock;
  readonly readProgress: ((line: string) => Progress | undefined) | undefined;
  readonly onProgress: (progress: Progress) => void;
}

/**
 * Brings what a program prints into the job's events, until it closes its output. The program waits while the disk is slower
 * than it.
 */
export async function pumpOutput(stream: Readable, name: 'stdout' | 'stderr', options: PumpOptions): Promise<void> {
  const { events } = options;
  const splitter = new LineSplitter();
  const lines = new LineSink(name, options);
  try {
    for await (const bytes of stream) {
      for (const line of splitter.push(bytes as Uint8Array)) lines.add(line);
      await events.room();
    }
  } catch {
    // Destroyed, since something that the program left behind keeps it open.
  }
  for (const line of splitter.end()) lines.add(line);
  lines.end();
}

/** Progress bars draw a line over and over; one of those a second goes into the log, and the last one. */
class LineSink {
  readonly #stream: 'stdout' | 'stderr';
  readonly #options: PumpOptions;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #drawnLast: string | undefined;
  #progressAtMs = Number.NEGATIVE_INFINITY;
  #progressLast: Progress | undefined;

  constructor(stream: 'stdout' | 'stderr', options: PumpOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  add({ text, isDrawnOver }: OutputLine): void {
    this.#look(text);
    if (isDrawnOver) {
      if (text !== '') this.#draw(text);
      return;
    }
    this.#drawnLast = undefined;
    this.#log(text);
  }

  end(): void {
    if (this.#drawnLast !== undefined) this.#log(this.#drawnLast);
    if (this.#progressLast !== undefined) this.#options.onProgress(this.#progressLast);
  }

  #draw(text: string): void {
    const nowMs = this.#options.clock.nowMs();
    this.#drawnLast = text;
    if (nowMs - this.#drawnAtMs < PROGRESS_INTERVAL_MS) return;
    this.#drawnAtMs = nowMs;
    this.#drawnLast = undefined;
    this.#log(text);
  }

  #look(text: string): void {
    const progress = this.#options.readProgress?.(text);
    if (progress === undefined) return;
    const nowMs = this.#options.clock.nowMs();
    this.#progressLast = progress;
    if (nowMs - this.#progressAtMs < PROGRESS_INTERVAL_MS) return;
    this.#progressAtMs = nowMs;
    this.#progressLast = undefined;
    this.#options.onProgress(progress);
  }

  #log(text: string): void {
    this.#options.events.add({ type: 'log', stream: this.#stream, text });
  }
}
