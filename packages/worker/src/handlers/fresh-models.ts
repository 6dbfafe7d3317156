import { type Digest, type Log, ModelRtcError } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';

/** Shorter than the time that a client waits for an answer: if hashing takes longer, the client is told to ask again. */
const ANSWER_WITHIN_MS = 6_000;

/**
 * Models whose files are links to someone's training folder may change at any time. Before a client hears of such a model, it is
 * hashed again if its files changed, so that the worker offers what it can send.
 */
export class FreshModels {
  readonly #registry: Registry;
  readonly #log: Log;
  readonly #answerWithinMs: number;
  /** One hashing a model, however many clients ask meanwhile. */
  readonly #running = new Map<Digest, Promise<RegistryEntry>>();
  readonly #closing = new AbortController();

  constructor(registry: Registry, log: Log, answerWithinMs = ANSWER_WITHIN_MS) {
    this.#registry = registry;
    this.#log = log;
    this.#answerWithinMs = answerWithinMs;
  }

  /**
   * @throws ModelRtcError `busy` while the changed files are still being read or written: asking again later gives the
   * answer; `not_found` when no model is left of them; `not_found_locally` when the entry is not of the registry any more.
   */
  async ensure(entry: RegistryEntry): Promise<RegistryEntry> {
    const { digest, linked } = entry;
    if (digest === undefined || !linked) return entry;
    const running = this.#running.get(digest);
    if (running === undefined && (await this.#registry.check(digest)).valid) return entry;
    return await this.#answerInTime(this.#running.get(digest) ?? this.#refresh(digest, entry));
  }

  /** Ends the hashing that goes on. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running.values());
  }

  #refresh(digest: Digest, entry: RegistryEntry): Promise<RegistryEntry> {
    const name = entry.alias ?? entry.id;
    this.#log.info({ digest, name }, `the files of ${name} changed since they were registered; reading them again`);
    const refreshing = this.#readAgain(digest, name).finally(() => this.#running.delete(digest));
    // A failure reaches those who wait for it; by then there may be none.
    refreshing.catch(() => {});
    this.#running.set(digest, refreshing);
    return refreshing;
  }

  async #readAgain(digest: Digest, name: string): Promise<RegistryEntry> {
    try {
      return (await this.#registry.refresh(digest, { signal: this.#closing.signal })).entry;
    } catch (error) {
      const known = ModelRtcError.from(error);
      this.#log.warn({ err: error, digest, name }, `the changed files of ${name} could not be read again`);
      // Of two refreshes of it, this one came after the entry had gone: it is looked up anew.
      if (known.has('no_model') && (await this.#registry.find(digest)) !== undefined) throw gone(name, error);
      throw known.code === 'source_changed' ? beingWritten(error) : known;
    }
  }

  async #answerInTime(refreshing: Promise<RegistryEntry>): Promise<RegistryEntry> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(stillReading()), this.#answerWithinMs);
    });
    try {
      return await Promise.race([refreshing, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function stillReading(): ModelRtcError {
  return new ModelRtcError(
    'busy',
    "The model's files changed at the worker, which is reading them again. Try again in a moment.",
  );
}

function beingWritten(cause: unknown): ModelRtcError {
  return ModelRtcError.because(
    cause,
    'busy',
    "The model's files are being written at the worker. Try again when that is done.",
  );
}

function gone(name: string, cause: unknown): ModelRtcError {
  return ModelRtcError.because(
    cause,
    'not_found',
    `The files of "${name}" are no longer where the worker had them, or are no longer a model. Ask the worker's owner to import it again.`,
  );
}
