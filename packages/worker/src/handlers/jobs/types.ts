import type { Jobs } from '@model-rtc/jobs';
import type { Digest, JobData, Manifest, ModelPath, Result } from '@model-rtc/protocol';
import type { ModelReader } from '@model-rtc/transfer';
import type { RequestContext } from '@model-rtc/transport';

/** What a worker runs jobs with. */
export interface JobServices {
  readonly jobs: Jobs;
  readonly data: ReceivesData;
  readonly results: ReadsResults;
}

/** Data that clients push for their jobs. */
export interface ReceivesData {
  /** Those that the owner has to push before a job can read them. */
  missing(digests: readonly Digest[], owner: string): Promise<Digest[]>;
  /** Pulls the files of a manifest from the asking peer into the cache. */
  receive(manifest: Manifest, owner: string, context: RequestContext<'push_data'>): Promise<Result<'push_data'>>;
}

/** What jobs wrote, by the notes of it. */
export interface ReadsResults {
  /** @throws ModelRtcError `not_found` */
  openResults(notesFolder: string): Promise<{
    readonly digest: Digest;
    readonly form: JobData['form'];
    readonly manifest: Manifest | undefined;
    readonly emptyFolders: readonly ModelPath[];
    /** Undefined when there is no file. */
    readonly reader: ModelReader | undefined;
  }>;
}
