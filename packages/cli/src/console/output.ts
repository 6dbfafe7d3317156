import type { OnModelProgress } from '@model-rtc/client';
import { type ErrorData, ProgressEvents } from '@model-rtc/protocol';
import { printable, printableJson } from './format.ts';
import type { ProgressView } from './progress.ts';
import { tellProgress } from './progress-events.ts';
import { isCapable, type Runtime } from './runtime.ts';

/** The one place that writes: results to standard output, everything else to standard error. */
export class Output {
  readonly #runtime: Runtime;
  readonly #options: { readonly json: boolean; readonly quiet: boolean };
  readonly #now: () => number;
  #view: ProgressView | undefined;
  /** Progress events for programs, with --json. */
  readonly events: ProgressEvents | undefined;

  constructor(
    runtime: Runtime,
    options: { readonly json: boolean; readonly quiet: boolean },
    now = () => performance.now(),
  ) {
    this.#runtime = runtime;
    this.#options = options;
    this.#now = now;
    if (options.json && !options.quiet) this.events = new ProgressEvents((event) => this.#writeJson(event), now);
  }

  get json(): boolean {
    return this.#options.json;
  }

  get isQuiet(): boolean {
    return this.#options.quiet;
  }

  /** Columns of the terminal; undefined when results go to a file or a pipe, which have no width. */
  get columns(): number | undefined {
    const { isTTY, columns } = this.#runtime.stdout;
    // Some terminals do not know their width, and say 0.
    return isTTY === true && columns !== undefined && columns > 0 ? columns : undefined;
  }

  /**
   * Prepares to show how far long work is, on standard error.
   * @returns what to call with each step. It shows nothing with --quiet, or once there is a result or an error.
   */
  async progress(): Promise<OnModelProgress> {
    if (this.#options.quiet) return () => {};
    // The bar is loaded by commands that need one.
    const { createProgressView } = await import('./progress.ts');
    const canDraw = isCapable(this.#runtime);
    const view = createProgressView(this.#runtime.stderr, { say: (text) => this.note(text), canDraw, now: this.#now });
    this.#view = view;
    return (progress) => {
      if (this.#view !== view) return;
      if (this.events !== undefined) tellProgress(this.events, progress);
      view.show(progress);
    };
  }

  /** Takes the progress bar off the terminal, so that something else can be shown. */
  clearProgress(): void {
    this.#view?.clear();
  }

  /**
   * Prints the result: one line of JSON with --json, else the text, unless it is empty. After progress events, the
   * result is the last line and an event itself.
   */
  result(data: object, text: string): void {
    this.#endProgress();
    const isEvent = this.events?.areUsed === true;
    this.events?.complete();
    if (this.#options.json) this.#writeJson(isEvent ? { event: 'result', ...data } : data);
    else if (text !== '') this.#runtime.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** A line of a result that comes bit by bit: to standard output, as JSON with --json. */
  line(line: string | object): void {
    this.clearProgress();
    if (typeof line === 'string') this.#runtime.stdout.write(`${line}\n`);
    else this.#writeJson(line);
  }

  /** An event of long work for programs, with --json. */
  event(data: { readonly event: string; readonly [field: string]: unknown }): void {
    if (this.#options.json && !this.#options.quiet) this.#writeJson(data);
  }

  /** What a program of someone else printed, so that an error can be understood: it is shown even with --quiet. */
  evidence(text: string): void {
    if (this.#options.json) return;
    this.clearProgress();
    this.#runtime.stderr.write(`${text.split('\n').map(printable).join('\n')}\n`);
  }

  /** What is known of work that failed, for programs; the error is told as well. */
  failure(data: object, error: ErrorData): void {
    if (!this.#options.json) return;
    this.#endProgress();
    const isEvent = this.events?.areUsed === true;
    this.events?.fail(error);
    this.#writeJson(isEvent ? { event: 'result', ...data } : data);
  }

  /** Something worth knowing that is not the result. */
  note(text: string): void {
    if (this.#options.quiet) return;
    this.clearProgress();
    this.#runtime.stderr.write(`${text.split('\n').map(printable).join('\n')}\n`);
  }

  /** One line that says what happened and what to do. Some of it may be another machine's words. */
  error(error: ErrorData): void {
    this.#endProgress();
    this.events?.fail(error);
    if (this.#options.json) this.#runtime.stderr.write(`${printableJson(JSON.stringify({ error }))}\n`);
    else this.#runtime.stderr.write(`model-rtc: ${printable(error.message.replaceAll(/\s*\n\s*/g, ' '))}\n`);
  }

  #endProgress(): void {
    this.clearProgress();
    this.#view = undefined;
  }

  #writeJson(data: object): void {
    this.#runtime.stdout.write(`${printableJson(JSON.stringify(data))}\n`);
  }
}
