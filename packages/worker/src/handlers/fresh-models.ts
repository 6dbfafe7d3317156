import { type Digest, type Log, ModelRtcError } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';

/** Shorter than a client waits for an answer: if hashing takes longer, the client is told to ask again. */
const ANSWER_WITHIN_MS = 6_000;

/** What the registry says of a model whose main file is not there. */
const LOST_STATUSES: readonly (string | undefined)[] = ['checkpoint_missing', 'broken_symlink'];

/**
 * Models whose files are links to someone's training folder may change at any time. Before a client gets such a model's entry, the
 * model is hashed again if its files changed, so that the worker offers what it can send.
 */
export class FreshModels {
  readonly #registry: Registry;
  readonly #log: Log;
  readonly #answerWithinMs: number;
  /** Each model is hashed once, however many clients ask for it. */
  readonly #running = new Map<Digest, Promise<RegistryEntry>>();
  readonly #closing = new AbortController();

  constructor(registry: Registry, log: Log, answerWithinMs = ANSWER_WITHIN_MS) {
    this.#registry = registry;
    this.#log = log;
    this.#answerWithinMs = answerWithinMs;
  }

  /**
   * @throws ModelRtcError `busy` while the changed files are still being read or written: asking again later gives the
   * answer; `not_found` when the main file is missing, or the files are no longer a model; `not_found_locally` when the entry is
   * no longer in the registry.
   */
  async ensure(entry: RegistryEntry): Promise<RegistryEntry> {
    const { digest, linked } = entry;
    if (digest === undefined || !linked) return entry;
    const running = this.#running.get(digest);
    if (running === undefined) {
      if ((await this.#registry.check(digest)).valid) return entry;
      // What is left without its main file is not a newer version of it.
      if (LOST_STATUSES.includes(entry.displayStatus)) throw lostMainFile(entry);
    }
    return await this.#answerInTime(this.#running.get(digest) ?? this.#refresh(digest, entry));
  }

  /** Stops hashing. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running.values());
  }

  #refresh(digest: Digest, entry: RegistryEntry): Promise<RegistryEntry> {
    const name = entry.alias ?? entry.id;
    this.#log.info({ digest, name }, `the files of ${name} changed since they were registered; reading them again`);
    const refreshing = this.#readAgain(digest, name).finally(() => this.#running.delete(digest));
    // Those who wait get the failure; there may be none when it comes.
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
      // Another refresh replaced the entry, so it must be looked up again.
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

function lostMainFile({ alias, id, checkpointPath }: RegistryEntry): ModelRtcError {
  const file = checkpointPath === undefined ? 'Its main file' : `${checkpointPath}, its main file,`;
  return new ModelRtcError(
    'not_found',
    `The worker cannot give "${alias ?? id}": ${file} is missing there. Ask the worker's owner to put the file back, or to import what is left as a new model.`,
    { details: { id, file: checkpointPath } },
  );
}

function gone(name: string, cause: unknown): ModelRtcError {
  return ModelRtcError.because(
    cause,
    'not_found',
    `The files of "${name}" are no longer where the worker had them, or are no longer a model. Ask the worker's owner to import it again.`,
  );
}
