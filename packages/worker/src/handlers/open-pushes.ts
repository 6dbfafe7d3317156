import { type Manifest, ModelRtcError } from '@model-rtc/protocol';
import { MAX_PUSHED_ITEMS, MAX_PUSHES, MAX_PUSHES_PER_TOKEN } from '../limits.ts';

/** The pushes that a worker is receiving: no token's holder can fill its memory with them, or keep out the others. */
export class OpenPushes {
  readonly #ofToken = new Map<string | undefined, number>();
  #count = 0;
  #items = 0;

  /**
   * Receives one push within the limits.
   * @param keyId whose push it is: the id of the token.
   * @throws ModelRtcError `busy` when there are too many; what `receive` throws
   */
  async run<T>(
    keyId: string | undefined,
    { files, chunks }: Pick<Manifest, 'files' | 'chunks'>,
    receive: () => Promise<T>,
  ): Promise<T> {
    const items = files.length + chunks.length;
    const ofToken = this.#ofToken.get(keyId) ?? 0;
    if (ofToken >= MAX_PUSHES_PER_TOKEN) throw busyError('this session', MAX_PUSHES_PER_TOKEN);
    if (this.#count >= MAX_PUSHES) throw busyError('all its clients', MAX_PUSHES);
    if (this.#count > 0 && this.#items + items > MAX_PUSHED_ITEMS) throw tooManyFilesError();
    this.#add(keyId, 1, items);
    try {
      return await receive();
    } finally {
      this.#add(keyId, -1, -items);
    }
  }

  #add(keyId: string | undefined, pushes: number, items: number): void {
    const ofToken = (this.#ofToken.get(keyId) ?? 0) + pushes;
    if (ofToken === 0) this.#ofToken.delete(keyId);
    else this.#ofToken.set(keyId, ofToken);
    this.#count += pushes;
    this.#items += items;
  }
}

function busyError(whose: string, most: number): ModelRtcError {
  return new ModelRtcError(
    'busy',
    `The worker is receiving ${most} pushes from ${whose} already. Try again when one of them is done.`,
  );
}

function tooManyFilesError(): ModelRtcError {
  return new ModelRtcError(
    'busy',
    'The worker is receiving so many files that it takes no more of them now. Try again when a push is done.',
  );
}
