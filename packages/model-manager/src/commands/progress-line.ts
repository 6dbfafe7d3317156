import { formatBytes } from '@model-rtc/protocol';
import type { ModelsContext } from './types.ts';

const BAR = 20;

/** What has been done of something, as one line: `4/8 chunks [=====     ] 50% 40 MB`. */
export function progressText(doneBytes: number, totalBytes: number): string {
  const share = totalBytes === 0 ? 1 : doneBytes / totalBytes;
  const bar = '='.repeat(Math.floor(share * BAR)).padEnd(BAR);
  return `[${bar}] ${Math.floor(share * 100)}% ${formatBytes(doneBytes)}`;
}

/** A line on standard error that is drawn again on a terminal; elsewhere only its last state is printed. */
export class ProgressLine {
  readonly #stderr: ModelsContext['stderr'];
  #drawn = '';

  constructor({ stderr }: Pick<ModelsContext, 'stderr'>) {
    this.#stderr = stderr;
  }

  draw(text: string): void {
    if (this.#isTerminal && text !== this.#drawn) this.#stderr.write(`\r${text.padEnd(this.#drawn.length)}`);
    this.#drawn = text;
  }

  /** Ends the line, if there is one. */
  end(): void {
    if (this.#drawn !== '') this.#stderr.write(this.#isTerminal ? '\n' : `${this.#drawn}\n`);
    this.#drawn = '';
  }

  get #isTerminal(): boolean {
    return this.#stderr.isTTY === true;
  }
}
