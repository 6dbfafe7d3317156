import type { ErrorData } from '@model-rtc/protocol';
import { printable } from './format.ts';
import type { Runtime } from './runtime.ts';

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
}

/** The one place that writes: results to standard output, everything else to standard error. */
export class Output {
  readonly #runtime: Runtime;
  readonly #options: OutputOptions;

  constructor(runtime: Runtime, options: OutputOptions) {
    this.#runtime = runtime;
    this.#options = options;
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

  /** The command's result: as one line of JSON with --json, else as the text. An empty text prints nothing. */
  result(data: unknown, text: string): void {
    if (this.#options.json) this.#runtime.stdout.write(`${JSON.stringify(data)}\n`);
    else if (text !== '') this.#runtime.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Something worth knowing that is not the result. */
  note(text: string): void {
    if (!this.#options.quiet) this.#runtime.stderr.write(`${text.split('\n').map(printable).join('\n')}\n`);
  }

  /** One line that says what happened and what to do. Some of it may be another machine's words. */
  error(error: ErrorData): void {
    if (this.#options.json) this.#runtime.stderr.write(`${JSON.stringify({ error })}\n`);
    else this.#runtime.stderr.write(`model-rtc: ${printable(error.message.replaceAll(/\s*\n\s*/g, ' '))}\n`);
  }
}
