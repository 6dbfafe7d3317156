import { type Digest, type Manifest, ModelRtcError } from '@model-rtc/protocol';
import { type PeerEncodings, SourcePool, type Watchdog } from '@model-rtc/transfer';
import { cancelledBy } from '../cancelled.ts';
import type { WorkerNews } from '../progress.ts';
import { GIVE_UP_MS, gaveUp } from '../session-link.ts';
import type { WorkerServices } from '../worker-services.ts';
import { type FeederEnd, feed } from './feeder.ts';
import type { WorkerNames } from './worker-names.ts';

export interface SwarmOptions {
  readonly digest: Digest;
  /** The one that is asked for the manifest first. */
  readonly first: WorkerServices;
  readonly watchdog: Watchdog;
  readonly encodings: PeerEncodings;
  /** What the workers are called. */
  readonly names: WorkerNames;
  readonly signal?: AbortSignal | undefined;
  readonly onNews: (news: WorkerNews) => void;
}

/** The workers that one model is taken from at once: any of them may leave and come back while it lasts. */
export class Swarm {
  readonly pool = new SourcePool();
  readonly #workers: readonly WorkerServices[];
  readonly #options: SwarmOptions;
  readonly #over = new AbortController();
  readonly #ends = new Map<WorkerServices, FeederEnd>();
  /** Those that had the model when they were last asked. */
  readonly #served = new Set<WorkerServices>();
  /** Those that could not be asked. */
  readonly #failed = new Set<WorkerServices>();
  #feeding: Promise<void>[] = [];
  /** Of one that is tried again. */
  #lastFailure: ModelRtcError | undefined;

  constructor(workers: readonly WorkerServices[], options: SwarmOptions) {
    this.#workers = [options.first, ...workers.filter((worker) => worker !== options.first)];
    this.#options = options;
  }

  /** Begins to take the model from all that have it. */
  start(): void {
    this.#feeding = this.#workers.map((worker) => this.#feed(worker));
  }

  /**
   * The manifest as any of them has it: the one that told of the model is asked first, and waited for when no other answers.
   *
   * @param fetch - asks one worker, and checks that the manifest is the digest's
   */
  async manifest(
    fetch: (worker: WorkerServices, how: 'at once' | 'patiently') => Promise<Manifest>,
  ): Promise<Manifest> {
    const { first, signal } = this.#options;
    for (const worker of this.#workers.length === 1 ? [] : this.#workers) {
      try {
        return await fetch(worker, 'at once');
      } catch (error) {
        if (signal?.aborted) throw cancelledBy(signal, error);
      }
    }
    return await fetch(first, 'patiently');
  }

  /** Lets all workers go; their connections stay. */
  async end(): Promise<void> {
    this.#over.abort(new ModelRtcError('cancelled', 'The transfer is over.'));
    await Promise.all(this.#feeding);
  }

  /** What a failed transfer is to be called, with what the workers said of it. */
  asEnd(thrown: unknown): ModelRtcError {
    const { signal, watchdog } = this.#options;
    const error = ModelRtcError.from(thrown);
    if (signal?.aborted) return cancelledBy(signal, error);
    const failure = this.#failure();
    if (failure !== undefined && this.#workers.every(({ link }) => link.isClosed)) return failure;
    const isStalled = error.code === 'timeout' && watchdog.quietMs >= GIVE_UP_MS;
    return isStalled && failure !== undefined ? gaveUp(failure, error.details) : error;
  }

  async #feed(worker: WorkerServices): Promise<void> {
    const { digest, watchdog, encodings, names, signal, onNews } = this.#options;
    const end = await feed(worker, {
      ...{ digest, watchdog, encodings, names, pool: this.pool },
      signal: signal === undefined ? this.#over.signal : AbortSignal.any([signal, this.#over.signal]),
      onNews: (news) => {
        if (news.state === 'serving') this.#served.add(worker);
        onNews(news);
      },
      onFailure: (error) => {
        this.#lastFailure = error;
        this.#failed.add(worker);
        this.#endWhenNobodyIsLeft();
      },
    });
    this.#ends.set(worker, end);
    this.#endWhenNobodyIsLeft();
  }

  #endWhenNobodyIsLeft(): void {
    if (this.#over.signal.aborted) return;
    const left = this.#workers.filter((worker) => !this.#ends.has(worker));
    // Where the model changed there is a new one to be had at once, so nobody is waited for who may never have had the old.
    const mayHaveIt = (worker: WorkerServices): boolean => this.#served.has(worker) || !this.#failed.has(worker);
    const waitedFor = this.#changedError() === undefined ? left : left.filter(mayHaveIt);
    if (waitedFor.length === 0) this.pool.end(this.#whyNobody());
  }

  /** Nobody is left to take the model from. */
  #whyNobody(): ModelRtcError {
    const { watchdog } = this.#options;
    const error = this.#changedError() ?? this.#endError();
    if (error === undefined) {
      return new ModelRtcError('source_changed', 'The model changed at the worker while it was sent.');
    }
    return watchdog.quietMs >= GIVE_UP_MS ? gaveUp(error) : error;
  }

  #failure(): ModelRtcError | undefined {
    return this.#endError() ?? this.#lastFailure;
  }

  #changedError(): ModelRtcError | undefined {
    const ends = [...this.#ends.values()];
    return ends.flatMap((end) => (end.kind === 'failed' && end.error.code === 'source_changed' ? [end.error] : []))[0];
  }

  /** Of several, the error of the first that failed by more than not having the model. */
  #endError(): ModelRtcError | undefined {
    for (const end of this.#ends.values()) if (end.kind === 'failed') return end.error;
    return undefined;
  }
}
