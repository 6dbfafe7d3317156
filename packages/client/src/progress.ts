import type { ProviderNews, TransferProgress } from '@model-rtc/transfer';
import type { RemoteProgress } from './transfer-stats.ts';

/** What a pull or push tells its caller while it runs. */
export type ModelProgress =
  | ({ readonly type: 'transfer' } & TransferProgress)
  /** The same of a push, as the worker says it. */
  | ({ readonly type: 'remote' } & RemoteProgress)
  /** The first connection is being made. */
  | { readonly type: 'connecting' }
  /** The connection was lost and is being made again; what arrived is kept. */
  | { readonly type: 'reconnecting'; readonly reason: string }
  /** A change in one of several workers. */
  | ({ readonly type: 'worker' } & WorkerNews)
  /** The worker is reading a changed model and will answer in a moment. */
  | { readonly type: 'waiting'; readonly reason: string }
  /** The model changed at its source while it was sent; the transfer begins again with the new content. */
  | { readonly type: 'source_changed'; readonly reason: string }
  /** Files of this machine are being read, before a push or at an import. */
  | {
      readonly type: 'local';
      readonly phase: 'convert' | 'hash' | 'copy' | 'verify';
      readonly doneBytes: number;
      readonly totalBytes: number;
    };

/** What happened to one of the workers that a model is taken from at once. */
export type WorkerNews = ProviderNews;

export type OnModelProgress = (progress: ModelProgress) => void;
