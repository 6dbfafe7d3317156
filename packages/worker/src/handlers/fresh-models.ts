import { type Digest, type Log, ModelRtcError } from '@model-rtc/protocol';
import type { Registry, RegistryEntry } from '@model-rtc/registry';

/** Shorter than the time that an asker waits for an answer: hashing may take longer, and then it is told to ask again. */
const ANSWER_WITHIN_MS = 6_000;

/**
 * Models whose files are links to someone's training folder may change at any time. Before such a model is told of, it is
 * hashed again if its files are not as they were, so that what is offered is what can be sent.
 */
export class FreshModels {
  readonly #registry: Registry;
  readonly #log: Log;
  /** One hashing a model, however many clients ask meanwhile. */
  readonly #running = new Map<Digest, Promise<RegistryEntry>>();

  constructor(registry: Registry, log: Log) {
    this.#registry = registry;
    this.#log = log;
  }

  /** @throws ModelRtcError `busy` while the changed files are still being read: asking again later gives the answer. */
  async ensure(entry: RegistryEntry): Promise<RegistryEntry> {
    const { digest, linked } = entry;
    if (digest === undefined || !linked) return entry;
    const running = this.#running.get(digest);
    if (running === undefined && (await this.#registry.check(digest)).valid) return entry;
    return await answerInTime(this.#running.get(digest) ?? this.#refresh(digest, entry));
  }

  #refresh(digest: Digest, { alias, id }: RegistryEntry): Promise<RegistryEntry> {
    this.#log.info(
      { digest, alias },
      `the files of ${alias ?? id} changed since they were registered; reading them again`,
    );
    const refreshing = this.#registry
      .refresh(digest)
      .then(({ entry }) => entry)
      .finally(() => this.#running.delete(digest));
    // Whoever waits for it hears of a failure; nobody may be waiting any more when it comes.
    refreshing.catch(() => {});
    this.#running.set(digest, refreshing);
    return refreshing;
  }
}

async function answerInTime(refreshing: Promise<RegistryEntry>): Promise<RegistryEntry> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new ModelRtcError(
          'busy',
          "The model's files changed at the worker, which is reading them again. Try again in a moment.",
        ),
      );
    }, ANSWER_WITHIN_MS);
  });
  try {
    return await Promise.race([refreshing, late]);
  } finally {
    clearTimeout(timer);
  }
}
