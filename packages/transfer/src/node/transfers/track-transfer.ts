import { access } from 'node:fs/promises';
import { describeSelf, makeFolder } from '@model-rtc/files';
import { type Clock, type Log, ModelRtcError, systemClock } from '@model-rtc/protocol';
import { DEFAULT_PRIORITY, type Priority } from '../../core/rate/priority.ts';
import type { RateLimiter } from '../../core/rate/rate-limiter.ts';
import type { Prioritized } from '../../core/rate/size-tiers.ts';
import { ASK_POLL_MS, wantedPriority } from './asks.ts';
import { TransferPace } from './pace.ts';
import {
  cancelPath,
  newTransferId,
  removeAsks,
  type StoredTransfer,
  tidyTransfers,
  writeRecord,
} from './record-file.ts';
import { reasonOf, type TransferAbout, type TransferStep } from './types.ts';

/** Between two writes of a record whose state does not change. */
const WRITE_INTERVAL_MS = 1_000;
/** A record is written again at least this often, so that processes that cannot see this one know that it lives. */
const HEARTBEAT_MS = 10_000;

/** A transfer that runs, as its work sees it. */
export interface TrackedTransfer extends Prioritized {
  readonly id: string;
  /** Aborts when the caller's signal does, and when another process cancels this transfer. */
  readonly signal: AbortSignal;
  /** Says how far it is; call it as often as you like. */
  note(step: TransferStep): void;
  /** Says what was found out about it. */
  describe(about: Partial<Omit<TransferAbout, 'kind' | 'priority'>> & Pick<TransferStep, 'totalBytes'>): void;
}

export interface TrackOptions {
  /** Where the records are: `transfers/` in the data folder. */
  readonly folder: string;
  readonly about: TransferAbout;
  readonly signal?: AbortSignal | undefined;
  readonly log?: Pick<Log, 'debug'> | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Does the work of one transfer while a record in the data folder says how far it is, so that any process can see and cancel it. A disk
 * that takes no record is no reason to transfer nothing.
 *
 * @throws what the work throws; ModelRtcError `cancelled` when another process cancelled it
 */
export async function trackTransfer<T>(
  options: TrackOptions,
  work: (transfer: TrackedTransfer) => Promise<T>,
): Promise<T> {
  const record = await TransferWriter.begin(options);
  try {
    const result = await work(record);
    await record.end({ state: 'completed' });
    return result;
  } catch (error) {
    const told = record.asCancelled(error);
    const { code, message } = ModelRtcError.from(told);
    const state = code === 'cancelled' || options.signal?.aborted === true ? 'cancelled' : 'failed';
    await record.end({ state, reason: state === 'cancelled' ? 'user_cancelled' : reasonOf(code), message });
    throw told;
  } finally {
    await tidyTransfers(options.folder).catch(() => undefined);
  }
}

class TransferWriter implements TrackedTransfer {
  readonly #options: TrackOptions;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #pace: TransferPace;
  readonly #stop: Array<() => void> = [];
  #record: StoredTransfer;
  #writing: Promise<void> = Promise.resolve();
  #isDirty = false;
  #writtenMs = Number.NEGATIVE_INFINITY;
  #cancelled: ModelRtcError | undefined;

  private constructor(options: TrackOptions, record: StoredTransfer) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#record = record;
    this.#pace = new TransferPace(options.folder, this.#clock);
  }

  static async begin(options: TrackOptions): Promise<TransferWriter> {
    const { folder, about, signal } = options;
    const id = newTransferId();
    const now = new Date().toISOString();
    const writer = new TransferWriter(options, {
      ...{
        id,
        ...about,
        peers: about.peers ?? [],
        priority: about.priority ?? DEFAULT_PRIORITY,
        state: 'connecting',
        doneBytes: 0,
        totalBytes: 0,
        bytesPerSecond: 0,
      },
      ...{ startedAt: now, updatedAt: now, owner: await describeSelf(id) },
    });
    await makeFolder(folder, 0o700).catch(() => undefined);
    await writer.#write();
    const onAbort = (): void => writer.#controller.abort(signal?.reason);
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    writer.#stop.push(() => signal?.removeEventListener('abort', onAbort));
    writer.#stop.push(writer.#clock.every(ASK_POLL_MS, () => void writer.#poll()));
    return writer;
  }

  get id(): string {
    return this.#record.id;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get limiter(): RateLimiter {
    return this.#pace.limiter;
  }

  onPriority(listener: (priority: Priority) => void): void {
    this.#pace.onPriority(listener, this.#record.priority);
  }

  note({ state, reason, ...counts }: TransferStep): void {
    const isNews = state !== this.#record.state || reason !== this.#record.reason;
    this.#change({ ...definedOf(counts), state, reason }, isNews);
  }

  describe(about: Partial<Omit<TransferAbout, 'kind' | 'priority'>> & Pick<TransferStep, 'totalBytes'>): void {
    this.#change(definedOf(about), false);
  }

  /** Says who cancelled it, where the error only says that it was. */
  asCancelled(error: unknown): unknown {
    if (this.#cancelled === undefined) return error;
    const { code, message, details } = this.#cancelled;
    return new ModelRtcError(code, message, { cause: error, details });
  }

  async end({ state, reason, message }: Pick<StoredTransfer, 'state' | 'reason' | 'message'>): Promise<void> {
    for (const stop of this.#stop) stop();
    const { totalBytes, doneBytes } = this.#record;
    const now = new Date().toISOString();
    const counts = { bytesPerSecond: 0, doneBytes: state === 'completed' ? totalBytes : doneBytes };
    this.#record = { ...this.#record, ...counts, state, reason, message, endedAt: now };
    await this.#write();
    await removeAsks(this.#options.folder, this.id).catch(() => undefined);
  }

  #change(changes: Partial<StoredTransfer>, isNews: boolean): void {
    this.#record = { ...this.#record, ...changes };
    this.#isDirty = true;
    if (isNews || this.#clock.nowMs() - this.#writtenMs >= WRITE_INTERVAL_MS) void this.#write();
  }

  async #poll(): Promise<void> {
    const passedMs = this.#clock.nowMs() - this.#writtenMs;
    if (passedMs >= HEARTBEAT_MS || (this.#isDirty && passedMs >= WRITE_INTERVAL_MS)) void this.#write();
    const { folder } = this.#options;
    await this.#takePriority();
    await this.#pace.look(() => this.#record);
    const isAsked = await access(cancelPath(folder, this.id)).then(
      () => true,
      () => false,
    );
    if (!isAsked || this.#controller.signal.aborted) return;
    const sentence = `Another process cancelled this transfer: model-rtc transfers cancel ${this.id}. What has arrived is kept: run the same command again to resume.`;
    this.#cancelled = new ModelRtcError('cancelled', sentence, { details: { transfer: this.id } });
    this.#controller.abort(this.#cancelled);
  }

  async #takePriority(): Promise<void> {
    const priority = await wantedPriority(this.#options.folder, this.id);
    if (priority === undefined || priority === this.#record.priority) return;
    this.#change({ priority }, true);
    this.#pace.changed(priority);
  }

  /** One write at a time; what changed meanwhile is in the next. */
  async #write(): Promise<void> {
    this.#writtenMs = this.#clock.nowMs();
    this.#isDirty = false;
    const { folder, log } = this.#options;
    this.#writing = this.#writing.then(async () => {
      const updatedAt = new Date().toISOString();
      await writeRecord(folder, { ...this.#record, updatedAt }).catch((error: unknown) =>
        log?.debug({ err: error }, 'the record of a transfer cannot be written'),
      );
    });
    await this.#writing;
  }
}

/** Leaves out what has no value, so that it replaces nothing. */
function definedOf<T extends object>(values: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
