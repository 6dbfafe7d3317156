import type { ByteReader, ReadOptions } from '../types.ts';
import type { Findings } from './findings.ts';

/** Looks into a file, or into a file inside another. `name` says what a tool would take it for. */
export type ScanContent = (job: ScanJob, reader: ByteReader, name: string) => Promise<Findings>;

/** What the scan of a file passes on to the scans of the files inside it. */
export interface ScanJob extends ReadOptions {
  /** How many files enclose this one. */
  readonly depth: number;
  /** Passed along because archives hold files that hold archives. */
  readonly scanContent: ScanContent;
}

/** Files within files; a real model has at most an archive in a pickle in an archive. */
export const MAX_SCAN_DEPTH = 6;
