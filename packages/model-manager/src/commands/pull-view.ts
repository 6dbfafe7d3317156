import { formatBytes } from '@model-rtc/protocol';
import type { PullProgress } from '../types.ts';
import { safe } from './text.ts';
import type { ModelsContext } from './types.ts';

const BAR = 20;

/** Shows how far a pull is, on standard error: one line that is drawn again on a terminal, and its last state elsewhere. */
export class PullView {
  readonly #context: Pick<ModelsContext, 'json' | 'quiet' | 'stderr'>;
  #isFetchingManifest = false;
  #drawn = '';
  #lastReason = '';

  constructor(context: Pick<ModelsContext, 'json' | 'quiet' | 'stderr'>) {
    this.#context = context;
  }

  show(progress: PullProgress): void {
    if (this.#context.quiet || this.#context.json) return;
    if (progress.type === 'manifest') {
      this.#isFetchingManifest = true;
      this.#write('Fetching manifest... ');
    } else if (progress.type === 'found') {
      this.#isFetchingManifest = false;
      this.#write('done\n');
    } else if (progress.type === 'waiting') {
      if (progress.reason !== this.#lastReason) this.#line(safe(progress.reason));
      this.#lastReason = progress.reason;
    } else this.#draw(progress);
  }

  /** Ends the line that is being drawn. */
  end(): void {
    if (this.#isFetchingManifest || this.#drawn !== '')
      this.#write(this.#isTerminal || this.#isFetchingManifest ? '\n' : `${this.#drawn}\n`);
    this.#isFetchingManifest = false;
    this.#drawn = '';
  }

  get #isTerminal(): boolean {
    return this.#context.stderr.isTTY === true;
  }

  #draw({ state, doneBytes, totalBytes, doneChunks, totalChunks }: PullProgress & { type: 'transfer' }): void {
    if (state === 'preparing') return;
    const share = totalBytes === 0 ? 1 : doneBytes / totalBytes;
    const bar = '='.repeat(Math.floor(share * BAR)).padEnd(BAR);
    const text = `Downloading: ${doneChunks}/${totalChunks} chunks [${bar}] ${Math.floor(share * 100)}% ${formatBytes(doneBytes)}`;
    if (this.#isTerminal && text !== this.#drawn) this.#write(`\r${text.padEnd(this.#drawn.length)}`);
    this.#drawn = text;
  }

  #line(text: string): void {
    this.end();
    this.#write(`${text}\n`);
  }

  #write(text: string): void {
    this.#context.stderr.write(text);
  }
}
