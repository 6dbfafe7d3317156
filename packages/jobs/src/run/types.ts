import type { Clock, ErrorData, Log } from '@model-rtc/protocol';
import type { AuditLog } from '../audit/audit-log.ts';
import type { ProcessTable, Tools } from '../process/types.ts';
import type { Runner } from '../runners/runner-schema.ts';
import type { DataSets, JobsLimits, ResultsPort } from '../types.ts';

/** What running a job needs besides the job. */
export interface RunContext {
  /** The data folder. */
  readonly root: string;
  /** Other folders that a confined job must not see. */
  readonly hidden: readonly string[];
  readonly dataSets: DataSets;
  readonly results: ResultsPort;
  readonly limits: JobsLimits;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly now: () => Date;
  readonly log: Log;
  readonly audit: AuditLog;
  readonly table: ProcessTable;
  readonly tools: Tools;
  /** The runner of a name as it is declared now. @throws ModelRtcError `not_found`, or `refused` when it cannot run here */
  runner(name: string): Promise<Runner>;
}

/** Why a job ends before its program does: the state that it gets, and what to say. */
export interface Stop {
  readonly state: 'cancelled' | 'failed' | 'lost';
  readonly error: ErrorData;
}
