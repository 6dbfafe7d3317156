import type { JobEvent, JobState } from '@model-rtc/protocol';
import type { Output } from '../../console/output.ts';
import { lineText } from './job-text.ts';

/** Lines that explain why a job failed, when nobody saw them while it ran. */
const LAST_LINES = 10;

/** Shows what happens to a job, as it happens. */
export class JobView {
  readonly #output: Pick<Output, 'event' | 'note' | 'json'>;
  readonly #id: string;
  readonly #lastLines: string[] = [];
  #state: JobState | undefined;
  #isHeld = false;
  readonly #held: string[] = [];

  constructor(output: Pick<Output, 'event' | 'note' | 'json'>, id: string) {
    this.#output = output;
    this.#id = id;
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
    if (event.type !== 'state' || event.state === this.#state) return [];
    this.#state = event.state;
    return SENTENCES[event.state] ?? [];
  }
}

/** The end of a job is told by the command. */
const SENTENCES: Partial<Record<JobState, string[]>> = {
  preparing: ['Preparing its inputs.'],
  running: ['Running.'],
  finishing: ['The runner has ended. Checking its results.'],
};
