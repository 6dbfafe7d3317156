import { randomInt } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { atStorage, listFolder, makeFolder, mapLimit } from '@model-rtc/files';
import { jobIdSchema, ModelRtcError } from '@model-rtc/protocol';
import { EventLog } from '../log/event-log.ts';
import type { Owner } from '../types.ts';
import { type JobsPaths, jobPaths } from './job-paths.ts';
import type { JobRecord } from './job-record.ts';
import { type LogSettings, readStoredJob, StoredJob } from './stored-job.ts';

const PRIVATE = 0o700;
const READ_AT_ONCE = 16;
const ID_LENGTH = 12;
const ID_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** All jobs of this machine, those of an earlier worker too. */
export class JobBook {
  readonly #paths: JobsPaths;
  readonly #logSettings: LogSettings;
  readonly #jobs = new Map<string, StoredJob>();
  #lastSequence = 0;

  private constructor(paths: JobsPaths, logSettings: LogSettings) {
    this.#paths = paths;
    this.#logSettings = logSettings;
  }

  /** Reads the jobs in the data folder; a damaged one is left out. @throws ModelRtcError `storage` */
  static async open(paths: JobsPaths, logSettings: LogSettings): Promise<JobBook> {
    const book = new JobBook(paths, logSettings);
    await atStorage(paths.jobs, 'created', () => makeFolder(paths.jobs, PRIVATE));
    const folders = (await listFolder(paths.jobs)).filter((entry) => entry.isDirectory());
    const ids = folders.map(({ name }) => name).filter((name) => jobIdSchema.safeParse(name).success);
    const jobs = await mapLimit(ids, READ_AT_ONCE, (id) => readStoredJob(jobPaths(paths.jobs, id), logSettings));
    const found = jobs.filter((job, index): job is StoredJob => job !== undefined && job.id === ids[index]);
    for (const job of found.sort((a, b) => a.record.sequence - b.record.sequence)) book.#jobs.set(job.id, job);
    book.#lastSequence = found.at(-1)?.record.sequence ?? 0;
    return book;
  }

  /** In the order in which they came. */
  all(): readonly StoredJob[] {
    return [...this.#jobs.values()];
  }

  of(owner: Owner): readonly StoredJob[] {
    return this.all().filter(({ record }) => record.owner === owner);
  }

  /** Another owner's job is as unknown as one that never was. @throws ModelRtcError `not_found` */
  get(owner: Owner, id: string): StoredJob {
    const job = this.#jobs.get(id);
    if (job !== undefined && job.record.owner === owner) return job;
    throw new ModelRtcError(
      'not_found',
      `There is no job ${JSON.stringify(id)} of this session. List them: model-rtc jobs list.`,
    );
  }

  /**
   * Makes a job with a folder of its own.
   * @throws ModelRtcError `storage_full`, `storage`; nothing is left behind
   */
  async add(make: (id: string, sequence: number) => JobRecord): Promise<StoredJob> {
    const id = this.#newId();
    this.#lastSequence++;
    const record = make(id, this.#lastSequence);
    const paths = jobPaths(this.#paths.jobs, id);
    await atStorage(paths.folder, 'created', () => mkdir(paths.folder, { mode: PRIVATE }));
    const events = await EventLog.open({ ...this.#logSettings, path: paths.log });
    const job = new StoredJob(paths, record, events, this.#logSettings.log);
    try {
      await job.save();
    } catch (error) {
      await job.remove().catch(() => undefined);
      throw error;
    }
    this.#jobs.set(id, job);
    events.add({ type: 'state', state: 'queued' });
    return job;
  }

  /** Forgets a job, with all that it has on the disk. @throws ModelRtcError `storage` */
  async remove(job: StoredJob): Promise<void> {
    this.#jobs.delete(job.id);
    await job.remove();
  }

  #newId(): string {
    for (;;) {
      const id = Array.from({ length: ID_LENGTH }, () => ID_CHARACTERS[randomInt(ID_CHARACTERS.length)]).join('');
      if (!this.#jobs.has(id)) return id;
    }
  }
}
