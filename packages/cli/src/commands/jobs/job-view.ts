import type { Job, JobEvent, JobState } from '@model-rtc/protocol';
import type { Output } from '../../console/output.ts';
import { lineText, statusText } from './job-text.ts';

/** Lines that explain why a job failed, when nobody saw them while it ran. */
const LAST_LINES = 10;
/** How often a person hears how far a job is, and that a silent one is alive. */
const STATUS_INTERVAL_MS = 30_000;

/** Shows what happens to a job, as it happens. */
export class JobView {
  readonly #output: Pick<Output, 'event' | 'note' | 'json'>;
  readonly #id: string;
  readonly #lastLines: string[] = [];
  #state: JobState | undefined;
  #isHeld = false;
  readonly #held: string[] = [];
  readonly #now: () => number;
  #statusMs: number;
  #status: Pick<Job, 'progress' | 'usage'> = {};

  constructor(output: Pick<Output, 'event' | 'note' | 'json'>, id: string, now = () => performance.now()) {
    this.#output = output;
    this.#id = id;
    this.#now = now;
    this.#statusMs = now();
  }

  /** The last lines that the runner printed. */
  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  show(events: readonly JobEvent[]): void {
    if (this.#output.json) for (const event of events) this.#output.event({ event: 'job', job: this.#id, ...event });
    const lines = events.flatMap((event) => this.#linesOf(event));
    if (lines.length > 0) this.#say(lines);
  }

  position(position: number): void {
    this.#output.event({ event: 'job', job: this.#id, type: 'position', position });
    if (!this.#output.json) this.#say([`Place ${position} in the queue.`]);
  }

  /** Keeps lines back while a question is on the terminal. @returns how to show them */
  hold(): () => void {
    this.#isHeld = true;
    return () => {
      this.#isHeld = false;
      const lines = this.#held.splice(0);
      if (lines.length > 0) this.#say(lines);
    };
  }

  #say(lines: readonly string[]): void {
    if (this.#isHeld) this.#held.push(...lines);
    else if (!this.#output.json) this.#output.note(lines.join('\n'));
  }

  #linesOf(event: JobEvent): string[] {
    if (event.type === 'log') {
      const line = lineText(event);
      this.#lastLines.push(line);
      if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
      return [line];
    }
    if (event.type === 'progress' || event.type === 'usage') return this.#statusLines(event);
    if (event.type !== 'state' || event.state === this.#state) return [];
    this.#state = event.state;
    return SENTENCES[event.state] ?? [];
  }

  #statusLines(event: Extract<JobEvent, { type: 'progress' | 'usage' }>): string[] {
    this.#status = event.type === 'progress' ? { ...this.#status, progress: event } : { ...this.#status, usage: event };
    if (this.#now() - this.#statusMs < STATUS_INTERVAL_MS) return [];
    this.#statusMs = this.#now();
    const text = statusText(this.#status);
    return text === '' ? [] : [`[${text}]`];
  }
}

/** The end of a job is told by the command. */
const SENTENCES: Partial<Record<JobState, string[]>> = {
  preparing: ['Preparing its inputs.'],
  running: ['Running.'],
  finishing: ['The runner has ended. Checking its results.'],
};
