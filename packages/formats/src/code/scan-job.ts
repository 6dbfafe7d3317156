import type { ByteReader, ReadOptions } from '../types.ts';
import type { Findings } from './findings.ts';

/** Looks into a file, or into a part of one that is a file in itself. `name` tells what a tool would take it for. */
export type ScanContent = (job: ScanJob, reader: ByteReader, name: string) => Promise<Findings>;

/** What is handed on from a file to what is in it. */
export interface ScanJob extends ReadOptions {
  /** How many files this one is in. */
  readonly depth: number;
  /** Passed along, since archives hold files that hold archives. */
  readonly scanContent: ScanContent;
}

/** Files within files; a real one has an archive with a pickle with an archive at most. */
export const MAX_SCAN_DEPTH = 6;
