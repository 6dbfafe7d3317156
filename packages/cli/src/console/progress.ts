import type { ModelProgress } from '@model-rtc/client';
import { SingleBar } from 'cli-progress';
import { formatBytes, formatDuration, formatPercent, formatRate } from './format.ts';
import type { Output } from './output.ts';
import type { ConsoleStream } from './runtime.ts';

const LINE_INTERVAL_MS = 1000;
const BAR = {
  format: '{label} {bar} {percent} | {bytes} | {rate} | {left}',
  barCompleteChar: '█',
  barIncompleteChar: '░',
};

const LOCAL_LABELS = { hash: 'hashing', copy: 'copying', verify: 'verifying' } as const;

/** What long work says of itself at one moment. */
interface Step {
  readonly label: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number | undefined;
  readonly msLeft: number | undefined;
}

export interface ProgressView {
  show(progress: ModelProgress): void;
  /** Takes the bar off the terminal; later calls of `show` do nothing. */
  end(): void;
}

/** A bar on a terminal, one plain line a second elsewhere, nothing with --quiet. */
export function createProgressView(stderr: ConsoleStream, output: Output, now = () => performance.now()): ProgressView {
  if (output.quiet) return { show() {}, end() {} };
  const view = stderr.isTTY === true ? new BarView(stderr) : new LineView(output, now);
  let ended = false;
  return {
    show: (progress) => {
      if (ended) return;
      if (progress.type === 'reconnecting')
        view.say(`The connection was lost (${progress.reason}) Connecting again; what has arrived is kept.`);
      else if (progress.type === 'source_changed')
        view.say(`The model changed while it was being sent (${progress.reason}) Starting again with its new content.`);
      else if (progress.type === 'waiting') view.say(progress.reason);
      else view.step(stepOf(progress));
    },
    end: () => {
      ended = true;
      view.end();
    },
  };
}

function stepOf(progress: Extract<ModelProgress, { type: 'transfer' | 'remote' | 'local' }>): Step {
  const { doneBytes, totalBytes } = progress;
  if (progress.type === 'local')
    return { label: LOCAL_LABELS[progress.phase], doneBytes, totalBytes, bytesPerSecond: undefined, msLeft: undefined };
  const msLeft = progress.secondsLeft === undefined ? undefined : progress.secondsLeft * 1000;
  return { label: progress.state, doneBytes, totalBytes, bytesPerSecond: progress.bytesPerSecond, msLeft };
}

function parts({ doneBytes, totalBytes, bytesPerSecond, msLeft }: Step) {
  return {
    percent: formatPercent(doneBytes, totalBytes).padStart(4),
    bytes: `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`,
    rate: bytesPerSecond === undefined ? '' : formatRate(bytesPerSecond),
    left: msLeft === undefined ? '' : `${formatDuration(msLeft)} left`,
  };
}

class BarView {
  readonly #stderr: ConsoleStream;
  #bar: SingleBar | undefined;

  constructor(stderr: ConsoleStream) {
    this.#stderr = stderr;
  }

  step(step: Step): void {
    const payload = { label: step.label.padEnd(12), ...parts(step) };
    if (this.#bar === undefined) {
      this.#bar = new SingleBar(
        { stream: this.#stderr, hideCursor: true, clearOnComplete: true, barsize: 24, fps: 10, ...BAR },
        undefined,
      );
      this.#bar.start(Math.max(1, step.totalBytes), step.doneBytes, payload);
    }
    this.#bar.setTotal(Math.max(1, step.totalBytes));
    this.#bar.update(step.doneBytes, payload);
  }

  /** A line that stays, above a bar that begins anew below it. */
  say(text: string): void {
    this.end();
    this.#stderr.write(`${text}\n`);
  }

  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}

class LineView {
  readonly #output: Output;
  readonly #now: () => number;
  #lastMs: number;

  constructor(output: Output, now: () => number) {
    this.#output = output;
    this.#now = now;
    // Work that is done within the first interval needs no line.
    this.#lastMs = now();
  }

  step(step: Step): void {
    if (this.#now() - this.#lastMs < LINE_INTERVAL_MS) return;
    this.#lastMs = this.#now();
    const { percent, bytes, rate, left } = parts(step);
    this.#output.note([step.label, percent.trim(), bytes, rate, left].filter((part) => part !== '').join('  '));
  }

  say(text: string): void {
    this.#output.note(text);
  }

  end(): void {}
}
