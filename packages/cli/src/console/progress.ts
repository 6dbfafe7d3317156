import type { ModelProgress } from '@model-rtc/client';
import { formatBytes } from '@model-rtc/protocol';
import { SingleBar } from 'cli-progress';
import { formatDuration, formatPercent, formatRate } from './format.ts';
import { type LaneRate, lanesText } from './lanes-text.ts';
import type { ConsoleStream } from './runtime.ts';

const LINE_INTERVAL_MS = 1000;
const BAR = {
  format: '{label} {bar} {percent} | {bytes} | {rate} | {left}',
  barCompleteChar: '█',
  barIncompleteChar: '░',
};

const LOCAL_LABELS = { convert: 'converting', hash: 'hashing', copy: 'copying', verify: 'verifying' } as const;

/** The state of long work at one moment. */
interface Step {
  readonly label: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number | undefined;
  readonly msLeft: number | undefined;
  readonly lanes: readonly LaneRate[];
}

export interface ProgressView {
  show(progress: ModelProgress): void;
  /** Takes the bar off the terminal; the next step draws it again. */
  clear(): void;
}

interface StepView {
  step(step: Step): void;
  clear(): void;
}

interface ProgressViewOptions {
  /** Writes a line that stays; clears the bar first. */
  readonly say: (text: string) => void;
  /** Whether a bar can be drawn. */
  readonly canDraw: boolean;
  readonly now?: (() => number) | undefined;
}

/** Draws a bar on a terminal, and writes one plain line a second elsewhere. */
export function createProgressView(
  stderr: ConsoleStream,
  { say, canDraw, now = () => performance.now() }: ProgressViewOptions,
): ProgressView {
  const view: StepView = canDraw ? createBar(stderr) : createLines(say, now);
  let isStalled = false;
  let isWaiting = false;
  return {
    show(progress) {
      const waiting = waitingText(progress);
      if (waiting !== undefined && !isWaiting) say(waiting);
      isWaiting = waiting !== undefined;
      // Nothing of this process moves.
      if (isWaiting) return view.clear();
      const { warning } = { warning: undefined, ...progress };
      // Shown once for each stall.
      if (warning !== undefined && !isStalled) say(warning.message);
      isStalled = warning !== undefined;
      if (progress.type === 'transfer' || progress.type === 'remote' || progress.type === 'local') {
        view.step(stepOf(progress));
      } else if (progress.type !== 'connecting') say(sentenceOf(progress));
    },
    clear: () => view.clear(),
  };
}

/** What a transfer waits for while another one brings the same files; undefined when it does not. */
function waitingText(progress: ModelProgress): string | undefined {
  if (progress.type !== 'transfer' && progress.type !== 'remote') return undefined;
  const { state, reason } = { reason: undefined, ...progress };
  if (state !== 'preparing' || reason !== 'waiting_for_lock') return undefined;
  const who = progress.type === 'remote' ? 'Another transfer at the worker' : 'Another process of this machine';
  return `${who} is fetching the same model: waiting for it. Ctrl+C stops this one only.`;
}

/** Says once that the connection was lost: some reasons say nothing else. */
function lossText(reason: string): string {
  const why = withoutAdvice(reason);
  return /^The connection to [^.:;]* was lost\.$/.test(why)
    ? 'The connection was lost.'
    : `The connection was lost: ${why}`;
}

/** Why something failed, without the advice to try again: that is done already. */
function withoutAdvice(reason: string): string {
  return reason.replace(/[,;:]?( and| then)? try again( later| in a moment| when one is done)?\.?$/, '.');
}

type Told = Exclude<ModelProgress, { type: 'transfer' | 'remote' | 'local' | 'connecting' }>;

function sentenceOf(progress: Told): string {
  if (progress.type === 'reconnecting') return `${lossText(progress.reason)} Reconnecting; what has arrived is kept.`;
  if (progress.type === 'source_changed')
    return `The model changed while it was being sent: ${progress.reason} Starting again with its new content.`;
  return progress.type === 'worker' ? workerText(progress) : progress.reason;
}

/** The state of one of several workers. */
function workerText({ name, state, reason }: Extract<ModelProgress, { type: 'worker' }>): string {
  const why = reason === undefined ? '' : ` (${withoutAdvice(reason).replace(/\.$/, '')})`;
  if (state === 'serving') return `${name} sends the model.`;
  if (state === 'absent') return `${name} does not have the model and is left out${why}.`;
  if (state === 'offline') return `${name} cannot be reached now${why}; trying again while the others send.`;
  if (state === 'busy') return `${name} is busy${why}; asking again while the others send.`;
  if (state === 'lost') return `Lost the connection to ${name}${why}; reconnecting.`;
  return `${name} is no longer used${why}.`;
}

function stepOf(progress: Extract<ModelProgress, { type: 'transfer' | 'remote' | 'local' }>): Step {
  const { doneBytes, totalBytes } = progress;
  if (progress.type === 'local') {
    const label = LOCAL_LABELS[progress.phase];
    return { label, doneBytes, totalBytes, bytesPerSecond: undefined, msLeft: undefined, lanes: [] };
  }
  const { state: label, bytesPerSecond, secondsLeft, lanes } = progress;
  const msLeft = secondsLeft === undefined ? undefined : secondsLeft * 1000;
  return { label, doneBytes, totalBytes, bytesPerSecond, msLeft, lanes };
}

function parts({ doneBytes, totalBytes, bytesPerSecond, msLeft, lanes }: Step) {
  return {
    percent: formatPercent(doneBytes, totalBytes).padStart(4),
    bytes: `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`,
    rate: rateText(bytesPerSecond, lanesText(lanes)),
    left: msLeft === undefined || msLeft === 0 ? '' : `${formatDuration(msLeft)} left`,
  };
}

/** A single kind of lane already includes the rate. */
function rateText(bytesPerSecond: number | undefined, lanes: string): string {
  const rate = bytesPerSecond === undefined ? '' : formatRate(bytesPerSecond);
  if (lanes === '') return rate;
  return lanes.includes(' + ') ? `${rate}: ${lanes}` : lanes;
}

function createBar(stderr: ConsoleStream): StepView {
  let bar: SingleBar | undefined;
  return {
    step(step) {
      const payload = { label: step.label.padEnd(12), ...parts(step) };
      if (bar === undefined) {
        const options = { stream: stderr, hideCursor: true, clearOnComplete: true, barsize: 24, fps: 10, ...BAR };
        bar = new SingleBar(options, undefined);
        bar.start(Math.max(1, step.totalBytes), step.doneBytes, payload);
      }
      bar.setTotal(Math.max(1, step.totalBytes));
      bar.update(step.doneBytes, payload);
    },
    clear() {
      bar?.stop();
      bar = undefined;
    },
  };
}

function createLines(say: (text: string) => void, now: () => number): StepView {
  // Work that is done within the first interval needs no line.
  let lastMs = now();
  return {
    step(step) {
      if (now() - lastMs < LINE_INTERVAL_MS) return;
      lastMs = now();
      const { percent, bytes, rate, left } = parts(step);
      say([step.label, percent.trim(), bytes, rate, left].filter((part) => part !== '').join('  '));
    },
    clear() {},
  };
}
