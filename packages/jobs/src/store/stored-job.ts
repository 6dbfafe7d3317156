import { readFile, rm } from 'node:fs/promises';
import { atStorage, ignoreMissing, writeFileAtomic } from '@model-rtc/files';
import { isEnded, type Job, type JobState, type Log, parseJson, withoutUndefined } from '@model-rtc/protocol';
import { EventLog, type EventLogOptions } from '../log/event-log.ts';
import type { JobPaths } from './job-paths.ts';
import { type JobRecord, jobRecordSchema, type ProgramRecord } from './job-record.ts';
import { removeTree } from './remove-tree.ts';

export type LogSettings = Pick<EventLogOptions, 'maxBytes' | 'now' | 'log'>;

/** What changes with a job's state. */
export type StateChange = Partial<Pick<Job, 'startedAt' | 'endedAt' | 'exit' | 'error' | 'results'>> & {
  readonly program?: ProgramRecord | undefined;
};

/** One job with its files. */
export class StoredJob {
  readonly paths: JobPaths;
  readonly #log: Log;
  #record: JobRecord;
  /** Undefined for a job that had ended when it was read. */
  readonly events: EventLog | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(paths: JobPaths, record: JobRecord, events: EventLog | undefined, log: Log) {
    this.paths = paths;
    this.#record = record;
    this.events = events;
    this.#log = log;
  }

  get record(): JobRecord {
    return this.#record;
  }

  get id(): string {
    return this.#record.job.id;
  }

  get state(): JobState {
    return this.#record.job.state;
  }

  /** The number of the last event so far. */
  get lastEvent(): number {
    return this.events?.lastNumber ?? this.#record.lastEvent ?? 0;
  }

  get hasEnded(): boolean {
    return isEnded(this.state);
  }

  /** What is not worth a write: a restart forgets it. */
  note(seen: Pick<Job, 'progress'> | Pick<Job, 'usage'>): void {
    this.#record = { ...this.#record, job: { ...this.#record.job, ...seen } };
  }

  /**
   * Enters a state: in the file first, and then in the events. A disk that refuses delays no job: its state is what this process
   * knows, and a restart finds the state before.
   */
  async enter(state: JobState, { program, ...change }: StateChange = {}): Promise<void> {
    const { exit, error } = change;
    if (isEnded(state)) this.events?.addTail();
    const lastEvent = isEnded(state) ? this.lastEvent + 1 : undefined;
    this.#record = {
      ...this.#record,
      program,
      lastEvent,
      job: { ...this.#record.job, ...withoutUndefined(change), state },
    };
    await this.save().catch((thrown) => {
      this.#log.warn({ job: this.id, error: thrown }, 'the state of a job cannot be written');
    });
    this.events?.add({ type: 'state', state, ...withoutUndefined({ exit, error }) });
    if (isEnded(state)) await this.events?.end();
  }

  /** Changes what is not its state. @throws ModelRtcError `storage` */
  async change(change: (record: JobRecord) => JobRecord): Promise<void> {
    this.#record = change(this.#record);
    await this.save();
  }

  /** @throws ModelRtcError `storage` */
  async save(): Promise<void> {
    const writing = this.#saving.then(async () => {
      await writeFileAtomic(this.paths.record, `${JSON.stringify(this.#record)}\n`, { mode: 0o600 });
    });
    this.#saving = writing.catch(() => undefined);
    await writing;
  }

  /** Removes all that a job has. @throws ModelRtcError `storage` */
  async remove(): Promise<void> {
    // Without its record it is no job, whatever else is left when this process ends here.
    await atStorage(this.paths.record, 'removed', () => rm(this.paths.record, { force: true }));
    await removeTree(this.paths.folder);
  }
}

/** @returns undefined when there is no record, or none that can be read. */
export async function readStoredJob(paths: JobPaths, log: LogSettings): Promise<StoredJob | undefined> {
  const text = await ignoreMissing(readFile(paths.record, 'utf8'));
  if (text === undefined) return undefined;
  const record = jobRecordSchema.safeParse(parseJson(text)).data;
  if (record === undefined) {
    log.log.warn({ path: paths.record }, 'the record of a job is damaged: the job is left out');
    return undefined;
  }
  const events = isEnded(record.job.state) ? undefined : await EventLog.open({ ...log, path: paths.log });
  return new StoredJob(paths, record, events, log.log);
}
