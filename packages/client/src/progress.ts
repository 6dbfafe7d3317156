import type { TransferProgress } from '@model-rtc/transfer';
import type { RemoteProgress } from './transfer-tally.ts';

/** What a pull or push tells its caller while it runs. */
export type ModelProgress =
  | ({ readonly type: 'transfer' } & TransferProgress)
  /** The same of a push, as the worker says it. */
  | ({ readonly type: 'remote' } & RemoteProgress)
  /** The first connection is being made. */
  | { readonly type: 'connecting' }
  /** The connection was lost and is being made again; what arrived is kept. */
  | { readonly type: 'reconnecting'; readonly reason: string }
  /** What became of one of several workers. */
  | ({ readonly type: 'worker' } & WorkerNews)
  /** The worker is reading a changed model and will answer in a moment. */
  | { readonly type: 'waiting'; readonly reason: string }
  /** The model changed at its source while it was sent; it is begun again with its new content. */
  | { readonly type: 'source_changed'; readonly reason: string }
  /** Files of this machine are being read, before a push or at an import. */
  | {
      readonly type: 'local';
      readonly phase: 'hash' | 'copy' | 'verify';
      readonly doneBytes: number;
      readonly totalBytes: number;
    };

/** What is to know of one of the workers that a model is taken from at once. */
export interface WorkerNews {
  readonly name: string;
  /**
   * `serving`: it has the model, and gives it from now on. `absent`: it does not have it. `offline`: it cannot be reached, and
   * is tried again. `busy`: it is there and cannot tell yet whether it has it, and is asked again. `lost`: its connection
   * was lost, and is made again. `dropped`: it is not used any more.
   */
  readonly state: 'serving' | 'absent' | 'offline' | 'busy' | 'lost' | 'dropped';
  readonly reason?: string | undefined;
}

export type OnModelProgress = (progress: ModelProgress) => void;
