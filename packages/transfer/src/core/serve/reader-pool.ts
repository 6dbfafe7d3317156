import type { Digest } from '@model-rtc/protocol';
import { IDLE_READER_MS, MAX_IDLE_READERS } from '../limits.ts';

/** Reads one model's chunks; the registry's `openModel` returns one. */
export interface ModelReader {
  /** The chunk's bytes, in `into` when they fit; undefined when the model is still being fetched and the chunk has not come. */
  readChunk(digest: Digest, into?: Uint8Array): Promise<Uint8Array | undefined>;
  close(): Promise<void> | void;
}

export type OpenModel = (digest: Digest) => Promise<ModelReader>;

interface Shelf {
  readonly opening: Promise<ModelReader>;
  users: number;
  /** It failed: it is closed when its last user is done, instead of being kept. */
  stale: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Keeps models open between requests, since fetching one takes many. */
export class ReaderPool {
  readonly #openModel: OpenModel;
  /** The least recently used first. */
  readonly #shelves = new Map<Digest, Shelf>();

  constructor(openModel: OpenModel) {
    this.#openModel = openModel;
  }

  /** Does the work with the model's reader. After a failure the model is opened again for the next work. */
  async use<T>(digest: Digest, work: (reader: ModelReader) => Promise<T>): Promise<T> {
    const shelf = this.#take(digest);
    try {
      return await work(await shelf.opening);
    } catch (error) {
      shelf.stale = true;
      if (this.#shelves.get(digest) === shelf) this.#shelves.delete(digest);
      throw error;
    } finally {
      shelf.users--;
      if (shelf.users === 0) await this.#putBack(digest, shelf);
    }
  }

  /** Closes idle readers now, and those in use when they are done. */
  async close(): Promise<void> {
    const shelves = [...this.#shelves.values()];
    this.#shelves.clear();
    for (const shelf of shelves) {
      shelf.stale = true;
      if (shelf.users === 0) await closeShelf(shelf);
    }
  }

  #take(digest: Digest): Shelf {
    const shelf = this.#shelves.get(digest) ?? {
      opening: this.#openModel(digest),
      users: 0,
      stale: false,
      timer: undefined,
    };
    clearTimeout(shelf.timer);
    shelf.users++;
    this.#shelves.delete(digest);
    this.#shelves.set(digest, shelf);
    return shelf;
  }

  async #putBack(digest: Digest, shelf: Shelf): Promise<void> {
    if (shelf.stale) return await closeShelf(shelf);
    shelf.timer = setTimeout(() => void this.#drop(digest, shelf), IDLE_READER_MS);
    letProcessEnd(shelf.timer);
    const idle = [...this.#shelves].filter(([, { users }]) => users === 0);
    for (const [other, oldest] of idle.slice(0, Math.max(0, idle.length - MAX_IDLE_READERS))) {
      await this.#drop(other, oldest);
    }
  }

  async #drop(digest: Digest, shelf: Shelf): Promise<void> {
    if (this.#shelves.get(digest) !== shelf || shelf.users > 0) return;
    this.#shelves.delete(digest);
    await closeShelf(shelf);
  }
}

/** Ignores errors: failing to close a file that was only read does no harm. */
async function closeShelf(shelf: Shelf): Promise<void> {
  clearTimeout(shelf.timer);
  try {
    const reader = await shelf.opening;
    await reader.close();
  } catch {}
}

/** Node waits for timers before it exits unless told otherwise; browsers have no `unref`. */
function letProcessEnd(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}
