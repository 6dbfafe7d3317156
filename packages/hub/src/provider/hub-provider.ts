import {
  type Clock,
  cancelledBy,
  contentsDigest,
  isDigest,
  type ModelContents,
  type ModelEntry,
  ModelRtcError,
  type ModelSource,
  parseContents,
  systemClock,
  withoutUndefined,
} from '@model-rtc/protocol';
import {
  type FetchedModel,
  type LocalFiles,
  type ModelProvider,
  type ProvidedModel,
  requireAgreement,
  type ServeOptions,
  type WantedModel,
} from '@model-rtc/transfer';
import { DEFAULT_CONNECTIONS } from '../limits.ts';
import { hubReferenceText } from '../reference.ts';
import type { Hub, HubFile, HubModel } from '../types.ts';
import type { HubFiles } from './connection.ts';
import { hubEntry } from './entry.ts';
import { keepConnections } from './keep-connections.ts';

export interface HubProviderOptions {
  readonly hub: Hub;
  /** As the hub described it: all that is fetched is of this commit. */
  readonly model: HubModel;
  /** The files of it to take; all of them by default. */
  readonly files?: readonly HubFile[] | undefined;
  /** What the entry says besides what the hub says, or in its place. */
  readonly entry?: Partial<ModelEntry> | undefined;
  readonly connections?: number | undefined;
  readonly clock?: Clock | undefined;
  /** From 0 to below 1. */
  readonly random?: (() => number) | undefined;
}

/** A repository of a hub, at one commit, as a provider of the model in it. @throws ModelRtcError `invalid_model` for files that are no model */
export class HubProvider implements ModelProvider<object> {
  readonly source: ModelSource = 'hub';
  readonly lanes = [];
  readonly name: string;
  readonly origin: string;
  readonly localFiles: LocalFiles;
  readonly #options: HubProviderOptions;
  readonly #contents: ModelContents;
  readonly #closed = new AbortController();
  #connection: object | undefined;
  #wasReached = false;

  constructor(options: HubProviderOptions) {
    const { hub, model, files = model.files } = options;
    this.#options = options;
    this.localFiles = hub.cachedFiles(model);
    this.name = new URL(hub.endpoint).host;
    this.origin = `hub:${hub.endpoint}/${model.repo}@${model.commit}`;
    this.#contents = parseContents({
      files: files.map(({ path, size, sha256, gitSha1 }) => withoutUndefined({ path, size, sha256, gitSha1 })),
    });
  }

  /** The reference that finds this very commit, at a worker too. */
  get ref(): string {
    const { repo, commit } = this.#options.model;
    return hubReferenceText({ repo, revision: commit });
  }

  get wasReached(): boolean {
    return this.#wasReached;
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  /** Ends the use of it. */
  close(): void {
    this.#closed.abort(new ModelRtcError('cancelled', 'The hub is no longer used.'));
  }

  /** The model was described before, so that nothing is asked now. */
  async reach(signal: AbortSignal | undefined): Promise<object> {
    if (this.isClosed) throw cancelledBy(this.#closed.signal);
    if (signal?.aborted) throw cancelledBy(signal);
    this.#connection ??= {};
    this.#wasReached = true;
    return this.#connection;
  }

  async reset(connection: object): Promise<void> {
    if (this.#connection === connection) this.#connection = undefined;
  }

  expectBulk(): void {}

  async resolve(ref: string): Promise<ProvidedModel> {
    const digest = contentsDigest(this.#contents);
    this.#require({ ref, digest: isDigest(ref) ? ref : undefined });
    const { model, entry } = this.#options;
    const described = { ...hubEntry(model, this.#contents, digest), ...entry };
    return { entry: described, resolvedBy: 'alias', ...(digest === undefined ? { hasDigestLater: true } : {}) };
  }

  async contents(model: WantedModel): Promise<ModelContents> {
    this.#require(model);
    return this.#contents;
  }

  async requireModel(model: FetchedModel): Promise<void> {
    this.#require(model);
    requireAgreement(model.contents, this.#contents, this.name);
  }

  /** Serves until the transfer is over, or its last connection failed. */
  async serve(_model: FetchedModel, { pool, name, signal }: ServeOptions): Promise<ModelRtcError> {
    const { connections = DEFAULT_CONNECTIONS } = this.#options;
    const over = AbortSignal.any([signal, this.#closed.signal]);
    return await keepConnections(this.#files(name), { pool, connections, signal: over });
  }

  async noteInstalled(): Promise<void> {}

  #files(name: string): HubFiles {
    const { hub, model, clock = systemClock, random = Math.random } = this.#options;
    const files = new Map(
      this.#contents.files.map(({ path, size }) => [path as string, { size, file: hub.file(model, path) }]),
    );
    return {
      ...{ name, origin: this.origin, clock, random, notBeforeMs: 0, failures: 0 },
      find: (path) => files.get(path),
    };
  }

  /** By one of its names, or by its digest where that is known. @throws ModelRtcError `not_found` */
  #require({ ref, digest }: WantedModel): void {
    const { repo, revision, commit } = this.#options.model;
    const names = [undefined, revision, commit].map((each) => hubReferenceText({ repo, revision: each }));
    if (names.includes(ref)) return;
    if (digest !== undefined && contentsDigest(this.#contents) === digest) return;
    throw new ModelRtcError('not_found', `${this.name} was asked for ${names[0]}, not for "${ref}".`, {
      details: { ref },
    });
  }
}
