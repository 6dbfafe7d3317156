import type { FetchedResults, WorkerConnection } from '@model-rtc/client';
import { formatBytes, type Job } from '@model-rtc/protocol';
import { formatCount, printable } from '../../console/format.ts';
import type { TransferControls } from '../client/transfer.ts';
import { resultsPath } from './results-name.ts';

export interface WantedResults {
  readonly output: string | undefined;
  /** The data that they are put beside; undefined for the working directory. */
  readonly beside: string | undefined;
  readonly force: boolean;
}

/** Brings the results of a job here. @throws ModelRtcError `refused` when something else is there, unless forced */
export async function fetchResults(
  worker: WorkerConnection,
  job: Job,
  { output, beside, force }: WantedResults,
  controls: TransferControls,
): Promise<FetchedResults> {
  return await worker.jobs.fetchResults(job.id, (found) => resultsPath(job, found, { output, beside }), {
    ...controls,
    force,
  });
}

/** `clip.mp4.mouse.predictions.slp (2.1 MB)`. */
export function resultsText({ path, bytes, fileCount, form, outcome }: FetchedResults): string {
  const size = form === 'folder' ? `${formatCount(fileCount, 'file')}, ${formatBytes(bytes)}` : formatBytes(bytes);
  return `${printable(path)} (${size}${outcome === 'same' ? ', there already' : ''})`;
}
