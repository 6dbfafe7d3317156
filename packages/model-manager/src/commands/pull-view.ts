import type { PullProgress } from '../types.ts';
import { ProgressLine, progressText } from './progress-line.ts';
import { safe } from './text.ts';
import type { ModelsContext } from './types.ts';

/** Shows how far a pull is, on standard error: one line that is drawn again on a terminal, and its last state elsewhere. */
export class PullView {
  readonly #context: Pick<ModelsContext, 'json' | 'quiet' | 'stderr' | 'events'>;
  #isFetchingManifest = false;
  readonly #drawn: ProgressLine;
  #lastReason = '';

  constructor(context: Pick<ModelsContext, 'json' | 'quiet' | 'stderr' | 'events'>) {
    this.#context = context;
    this.#drawn = new ProgressLine(context);
  }

  show(progress: PullProgress): void {
    this.#tell(progress);
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
    if (this.#isFetchingManifest) this.#write('\n');
    this.#isFetchingManifest = false;
    this.#drawn.end();
  }

  #draw({ state, doneBytes, totalBytes, doneChunks, totalChunks }: PullProgress & { type: 'transfer' }): void {
    if (state === 'preparing') return;
    this.#drawn.draw(`Downloading: ${doneChunks}/${totalChunks} chunks ${progressText(doneBytes, totalBytes)}`);
  }

  #tell(progress: PullProgress): void {
    const { events } = this.#context;
    if (events === undefined) return;
    const { counts } = events;
    const event = 'progress';
    if (progress.type === 'manifest') {
      events.begin();
      events.tell({ event, state: 'connecting', ...counts });
    } else if (progress.type === 'found') {
      events.tell({ event, state: 'preparing', ...counts, totalBytes: progress.totalBytes });
    } else if (progress.type === 'waiting') {
      events.tell({ event, state: 'preparing', reason: 'waiting', message: progress.reason, ...counts });
    } else {
      const { type: _, state, secondsLeft = null, ...told } = progress;
      // The model is only completed once it is installed.
      events.tell({ event, state: state === 'completed' ? 'verifying' : state, ...told, secondsLeft });
    }
  }

  #line(text: string): void {
    this.end();
    this.#write(`${text}\n`);
  }

  #write(text: string): void {
    this.#context.stderr.write(text);
  }
}
