import type { ByteReader, ReadBudget, ReadOptions } from '../types.ts';
import type { Findings } from './findings.ts';

/** Looks into a file, or into a file inside another. `name` says what a tool would take it for. */
export type ScanContent = (job: ScanJob, reader: ByteReader, name: string) => Promise<Findings>;

/** What the scan of a file passes on to the scans of the files inside it. */
export interface ScanJob extends ReadOptions {
  readonly budget: ReadBudget;
  /** How many files enclose this one. */
  readonly depth: number;
  /** Passed along because archives hold files that hold archives. */
  readonly scanContent: ScanContent;
}

/** Looks into a file inside the one of the job. @throws OverBudgetError */
export async function scanInside(job: ScanJob, reader: ByteReader, name: string): Promise<Findings> {
  job.budget.spend('parts');
  return await job.scanContent({ ...job, depth: job.depth + 1 }, reader, name);
}
