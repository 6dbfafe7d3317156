import type { Alias, Digest, ModelContents, ModelEntry, ModelRtcError, ModelSource, Result } from '@model-rtc/protocol';
import type { LaneInfo } from '@model-rtc/transport';
import type { LocalFiles } from '../sources/local-files.ts';
import type { PeerEncodings } from '../sources/peer-encodings.ts';
import type { SourcePool } from '../sources/source-pool.ts';
import type { ProviderNews } from './provider-news.ts';

/** What a provider says about a model: its entry, and what kind of reference found it. */
export type ProvidedModel = Result<'get_model_info'> & {
  /** Whether the entry has no digest because only the files tell it. Otherwise a model without one is still being trained. */
  readonly hasDigestLater?: boolean | undefined;
};

/** A model to ask providers for, by whatever they know models by. */
export interface WantedModel {
  /** What a person called it. */
  readonly ref: string;
  /** Undefined while it is unknown. */
  readonly digest: Digest | undefined;
}

/** A model that is being fetched. */
export interface FetchedModel extends WantedModel {
  readonly contents: ModelContents;
}

/**
 * Something that must be reached before it can be asked. It does not retry: each call is one attempt, and `Attempts` decides
 * whether another one follows.
 */
export interface Reachable<Connection = unknown> {
  /** Whether it was ever reached: only then is it worth waiting for while a person waits for an answer. */
  readonly wasReached: boolean;
  /** Whether this side closed it; it is never reached again then. */
  readonly isClosed: boolean;
  /**
   * Resolves when it can be asked, with something for the connection that is not undefined; at once when it is still connected. The
   * signal ends only this call.
   */
  reach(signal: AbortSignal | undefined): Promise<Connection>;
  /** Ends this connection after a failed attempt, so that the next `reach` makes a new one. A newer one stays. */
  reset(connection: Connection): Promise<void>;
}

/** A model that is now on this machine. */
export interface InstalledModel {
  readonly digest: Digest;
  readonly alias: Alias | undefined;
  /** What this provider said about it, if this one decided what the reference names. */
  readonly answer: ModelEntry | undefined;
}

export interface ServeOptions {
  readonly pool: SourcePool;
  /** The name of its sources: the provider's name within the transfer. */
  readonly name: string;
  /** How chunks may come encoded; all sources of the transfer share it. */
  readonly encodings: PeerEncodings;
  /** Others that are fetching the model are sources too, and this machine passes on what it has. */
  readonly shared?: boolean | undefined;
  /** Told of single nodes behind the provider, where it has several. */
  readonly onNews?: ((news: ProviderNews) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Where models come from: a worker, or anything else that can find a model by name, describe its contents and give its chunks.
 * Several providers of different kinds can serve one transfer; each may leave and come back meanwhile.
 *
 * Calls come in this order: `reach`, then `resolve`, `contents` or `requireModel`, and `serve` after `requireModel`.
 * Calls may overlap. A provider is not trusted: the transfer checks the contents against the digest if that is known, and each
 * chunk or, when chunks have no digests, each file. Every call is one attempt, and rejects with a `ModelRtcError` whose code
 * says whether another attempt may help: it may after `network`, `timeout` and `worker_offline`; `not_found` means that the
 * provider does not have the model.
 */
export interface ModelProvider<Connection = unknown> extends Reachable<Connection> {
  /** Identifies it, over reconnects too; no other provider has the same. Wrong bytes count against it. */
  readonly origin: string;
  /** Its name for people. It may change when the provider is reached. */
  readonly name: string;
  /** What the registry records as the source of a model that this provider named. */
  readonly source: ModelSource;
  /** The connections that it has now. */
  readonly lanes: readonly LaneInfo[];
  /** Where this machine keeps whole files that came from the same place by other programs. */
  readonly localFiles?: LocalFiles | undefined;
  /** Called when it is known that much will come, so that it can open more connections. */
  expectBulk(): void;
  /**
   * Finds the model that a reference names.
   * @throws ModelRtcError `not_found`, `ambiguous`; `busy` when it is there and will be able to tell in a moment
   */
  resolve(ref: string, signal: AbortSignal | undefined): Promise<ProvidedModel>;
  /**
   * Describes a model: its files, with hashes of files, of chunks or of both, enough to verify every file.
   * @throws ModelRtcError `not_found`; `verification_failed` when it is another model than the one asked for
   */
  contents(model: WantedModel, signal: AbortSignal | undefined): Promise<ModelContents>;
  /**
   * @throws ModelRtcError `not_found` when it does not have the model, not even a part of it; `verification_failed` when its
   * files are not those of the contents: see `requireAgreement`
   */
  requireModel(model: FetchedModel, signal: AbortSignal | undefined): Promise<void>;
  /**
   * Keeps its chunk sources in the pool, with its `origin`, while it can give the model. Removes all of them before it
   * resolves, and resolves soon when the signal aborts.
   * @returns why it gives nothing any more, with a code that says whether to retry. It does not reject when it is gone.
   */
  serve(model: FetchedModel, options: ServeOptions): Promise<ModelRtcError>;
  /** Called when the model is here. A courtesy: it never fails, and does not take long. */
  noteInstalled(installed: InstalledModel): Promise<void>;
}
