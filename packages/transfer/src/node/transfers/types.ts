import type { ErrorCode } from '@model-rtc/protocol';
import type { Priority } from '../../core/rate/priority.ts';

/**
 * What moves, as seen from this machine. `receive` is a push that this machine's worker takes in, and `data_receive` the same for data of
 * a job.
 */
export const TRANSFER_KINDS = [
  ...(['pull', 'push', 'receive', 'import', 'repair', 'prefetch', 'publish'] as const),
  ...(['data_push', 'data_receive', 'results_pull'] as const),
] as const;
export type TransferKind = (typeof TRANSFER_KINDS)[number];

const OUTWARD: ReadonlySet<TransferKind> = new Set(['push', 'publish', 'data_push']);

/** Whether its bytes leave this machine or come to it. */
export function wayOf(kind: TransferKind): 'in' | 'out' {
  return OUTWARD.has(kind) ? 'out' : 'in';
}

/** `idle` waits for something else; the last three are ends. */
export const TRANSFER_STATES = [
  'idle',
  'connecting',
  'preparing',
  'transferring',
  'verifying',
  'completed',
  'failed',
  'cancelled',
] as const;
export type TransferState = (typeof TRANSFER_STATES)[number];

/** What a transfer is about. */
export interface TransferAbout {
  readonly kind: TransferKind;
  /** The model, data or results, as a person named them or as they are called. */
  readonly name: string;
  readonly digest?: string | undefined;
  /** The agents, registries or hubs at the other end, by name. */
  readonly peers?: readonly string[] | undefined;
  /** Normal when left out. */
  readonly priority?: Priority | undefined;
}

/** How far it is. */
export interface TransferStep {
  readonly state: TransferState;
  readonly reason?: string | undefined;
  readonly doneBytes?: number | undefined;
  readonly totalBytes?: number | undefined;
  readonly bytesPerSecond?: number | undefined;
}

const STATES: Readonly<Record<string, TransferState>> = {
  preparing: 'preparing',
  transferring: 'transferring',
  verifying: 'verifying',
  // The model is only completed once it is installed.
  completed: 'verifying',
};

/** The step that a transfer's progress event tells of. Newer workers may send states that this version does not know. */
export function stepOfTransfer(progress: Omit<TransferStep, 'state'> & { readonly state: string }): TransferStep {
  const { state, doneBytes, totalBytes, bytesPerSecond, reason } = progress;
  const counts = { doneBytes, totalBytes, bytesPerSecond };
  // While another process fetches the same model, nothing of this transfer moves.
  if (reason === 'waiting_for_lock') return { state: 'idle', reason, ...counts };
  return { state: STATES[state] ?? 'preparing', ...counts };
}

/** A transfer of any process of this machine, as its file in the data folder says. */
export interface TransferRecord extends TransferAbout {
  readonly id: string;
  readonly state: TransferState;
  /** Why it is in this state: `hash_mismatch`, `timeout`, `network_error`, `user_cancelled`, `storage_full`, or another code. */
  readonly reason?: string | undefined;
  /** What went wrong, in a sentence. */
  readonly message?: string | undefined;
  readonly peers: readonly string[];
  readonly priority: Priority;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
  /** The process that runs it. */
  readonly pid: number;
  readonly host: string;
  /** ISO 8601, as the others. */
  readonly startedAt: string;
  readonly updatedAt: string;
  readonly endedAt?: string | undefined;
}

/** The reason of each error code that has a name of its own here. */
const REASONS: Partial<Record<ErrorCode, string>> = {
  verification_failed: 'hash_mismatch',
  timeout: 'timeout',
  network: 'network_error',
  worker_offline: 'network_error',
  cancelled: 'user_cancelled',
  storage_full: 'storage_full',
};

/** Why a transfer ended with an error: by its own name, else by the error's code. */
export function reasonOf(code: ErrorCode): string {
  return REASONS[code] ?? code;
}

/** The reason of a transfer whose process was killed. */
export const PROCESS_ENDED = 'process_ended';

const ENDS: ReadonlySet<TransferState> = new Set(['completed', 'failed', 'cancelled']);

export function isOver({ state }: Pick<TransferRecord, 'state'>): boolean {
  return ENDS.has(state);
}
