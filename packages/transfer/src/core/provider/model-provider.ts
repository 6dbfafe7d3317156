import type { Alias, Digest, ModelContents, ModelEntry, ModelRtcError, ModelSource, Result } from '@model-rtc/protocol';
import type { LaneInfo } from '@model-rtc/transport';
import type { PeerEncodings } from '../sources/peer-encodings.ts';
import type { SourcePool } from '../sources/source-pool.ts';

/** What a provider says of a model: its entry, and what kind of reference found it. */
export type ProvidedModel = Result<'get_model_info'> & {
  /** The entry has no digest because only the files tell it. Without this, a model without one is still being trained. */
  readonly hasDigestLater?: boolean | undefined;
};

/** A model as providers are asked for it: each by what it knows models by. */
export interface WantedModel {
  /** As a person named it. */
  readonly ref: string;
  /** Undefined while nobody knows it. */
  readonly digest: Digest | undefined;
}

/** A model that is being fetched. */
export interface FetchedModel extends WantedModel {
  readonly contents: ModelContents;
}

/**
 * Something to reach before it can be asked. Retrying is not its business: each call is one attempt, and `Attempts` decides
 * whether another one follows.
 */
export interface Reachable<Connection = unknown> {
  /** Whether it was ever reached: only then is it worth waiting for when a person's question is still open. */
  readonly wasReached: boolean;
  /** Whether this side closed it: it is never reached again. */
  readonly isClosed: boolean;
  /**
   * Resolves when it can be asked, with what stands for the connection; at once when it was reached and is still there. The
   * signal ends only this call.
   */
  reach(signal: AbortSignal | undefined): Promise<Connection>;
  /** An attempt over this connection failed: it is ended, and the next `reach` makes a new one. A later one stays. */
  reset(connection: Connection): Promise<void>;
}

/** A model that is on this machine now. */
export interface InstalledModel {
  readonly digest: Digest;
  readonly alias: Alias | undefined;
  /** What this provider said of it, when it was the one that said what the reference names. */
  readonly answer: ModelEntry | undefined;
}

export interface ServeOptions {
  readonly pool: SourcePool;
  /** What its sources are called: the provider's name among those of the transfer. */
  readonly name: string;
  /** How chunks may come encoded, the same for all sources of the transfer. */
  readonly encodings: PeerEncodings;
  readonly signal: AbortSignal;
}

/**
 * Where models come from: a worker, or anything else that can name a model, list what it consists of, and give its chunks.
 * Several providers of different kinds serve one transfer at once; any of them may leave and come back meanwhile.
 *
 * Calls come in this order: `reach`, then `resolve`, `contents` or `requireModel`, and `serve` after `requireModel`.
 * Calls may overlap. Nothing that a provider says is trusted: the transfer holds its contents against the digest where that
 * is known, and checks each chunk or, where chunks have no digests, each file. Every call is one attempt, and rejects with a `ModelRtcError` whose code says whether
 * another attempt may help: `network`, `timeout` and `worker_offline` may, `not_found` means that it does not have the model.
 */
export interface ModelProvider<Connection = unknown> extends Reachable<Connection> {
  /** Who it is: the same over reconnects, and of no other provider. Wrong bytes count against it. */
  readonly origin: string;
  /** What people call it. It may change when it is reached. */
  readonly name: string;
  /** What the registry says of where a model came from that this provider named. */
  readonly source: ModelSource;
  /** The connections that it has now. */
  readonly lanes: readonly LaneInfo[];
  /** Told, once it is known, that much is about to come, so that it can open more connections. */
  expectBulk(): void;
  /**
   * Says what a reference names.
   * @throws ModelRtcError `not_found`, `ambiguous`; `busy` when it is there and will be able to tell in a moment
   */
  resolve(ref: string, signal: AbortSignal | undefined): Promise<ProvidedModel>;
  /**
   * Says what it knows of a model: its files, and hashes of them, of chunks or of both; for every file enough to verify it.
   * @throws ModelRtcError `not_found`; `verification_failed` when it is another model than the one asked for
   */
  contents(model: WantedModel, signal: AbortSignal | undefined): Promise<ModelContents>;
  /**
   * @throws ModelRtcError `not_found` when it does not have the model, not even a part of it; `verification_failed` when its
   * files are not those of the contents: see `requireAgreement`
   */
  requireModel(model: FetchedModel, signal: AbortSignal | undefined): Promise<void>;
  /**
   * Keeps its chunk sources in the pool, with its `origin`, while it can give the model. Takes all of them out again before
   * it resolves, and resolves soon when the signal aborts.
   * @returns why it gives nothing any more: a code that says whether to try again. Never rejects for being gone.
   */
  serve(model: FetchedModel, options: ServeOptions): Promise<ModelRtcError>;
  /** Told when the model is here. A courtesy: it never fails, and does not take long. */
  noteInstalled(installed: InstalledModel): Promise<void>;
}
