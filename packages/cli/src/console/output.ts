import type { ErrorData } from '@model-rtc/protocol';
import { printable } from './format.ts';
import { ProgressEvents } from './progress-events.ts';
import type { Runtime } from './runtime.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
}

/** The one place that writes: results to standard output, everything else to standard error. */
export class Output {
  readonly #runtime: Runtime;
  readonly #options: OutputOptions;
  /** Progress events for a program; undefined when nobody reads them. */
  readonly events: ProgressEvents | undefined;

  constructor(runtime: Runtime, options: OutputOptions, now = () => performance.now()) {
    this.#runtime = runtime;
    this.#options = options;
    if (options.json && !options.quiet) this.events = new ProgressEvents((event) => this.#writeJson(event), now);
  }

  get json(): boolean {
    return this.#options.json;
  }

  get quiet(): boolean {
    return this.#options.quiet;
  }

  /** Columns of the terminal; undefined when results go to a file or a pipe, which have no width. */
  get columns(): number | undefined {
    return this.#runtime.stdout.isTTY === true ? this.#runtime.stdout.columns : undefined;
  }

  /**
   * The command's result: as one line of JSON with --json, else as the text. An empty text prints nothing. Behind events of
   * progress it is the last line, and an event itself.
   */
  result(data: object, text: string): void {
    const isEvent = this.events?.areUsed === true;
    this.events?.complete();
    if (this.#options.json) this.#writeJson(isEvent ? { event: 'result', ...data } : data);
    else if (text !== '') this.#runtime.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Something worth knowing that is not the result. */
  note(text: string): void {
    if (!this.#options.quiet) this.#runtime.stderr.write(`${text.split('\n').map(printable).join('\n')}\n`);
  }

  /** One line that says what happened and what to do. Some of it may be another machine's words. */
  error(error: ErrorData): void {
    this.events?.fail(error);
    if (this.#options.json) this.#runtime.stderr.write(`${JSON.stringify({ error })}\n`);
    else this.#runtime.stderr.write(`model-rtc: ${printable(error.message.replaceAll(/\s*\n\s*/g, ' '))}\n`);
  }

  #writeJson(data: object): void {
    this.#runtime.stdout.write(`${JSON.stringify(data)}\n`);
  }
}
