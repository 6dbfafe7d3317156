import {
  type Digest,
  type Manifest,
  type ModelContents,
  ModelRtcError,
  type ModelSource,
  manifestDigest,
} from '@model-rtc/protocol';
import type { InstalledModel, ModelProvider, ProvidedModel, ServeOptions, WantedModel } from '@model-rtc/transfer';
import { peerSources } from '@model-rtc/transfer';
import type { LaneInfo, Peer } from '@model-rtc/transport';
import { wholeModels } from './list-models.ts';
import { type RemoteWorker, remembered } from './remote-worker.ts';

/** How long to wait for the worker to take a report, which is only a courtesy. */
const REPORT_WITHIN_MS = 3_000;

type WorkerParts = Pick<RemoteWorker, 'registry' | 'known' | 'link' | 'log'>;

/** A worker as a provider. Its lanes are the chunk sources, and its session link makes the connections. */
export class WorkerProvider implements ModelProvider<Peer> {
  readonly #worker: WorkerParts;

  constructor(worker: WorkerParts) {
    this.#worker = worker;
  }

  get origin(): string {
    return this.#worker.known.key;
  }

  get name(): string {
    return this.#worker.known.name;
  }

  get source(): ModelSource {
    return 'worker-pull';
  }

  get lanes(): readonly LaneInfo[] {
    return this.#worker.link.lanes;
  }

  get wasReached(): boolean {
    return this.#worker.link.wasReached;
  }

  get isClosed(): boolean {
    return this.#worker.link.isClosed;
  }

  async reach(signal: AbortSignal | undefined): Promise<Peer> {
    return await this.#worker.link.reach(signal);
  }

  async reset(peer: Peer): Promise<void> {
    await this.#worker.link.reset(peer);
  }

  expectBulk(): void {
    this.#worker.link.current?.expectBulk();
  }

  async resolve(ref: string, signal: AbortSignal | undefined): Promise<ProvidedModel> {
    const peer = await this.reach(signal);
    return await peer.request('get_model_info', { ref }, { signal });
  }

  /** Where another provider named a model without a digest, the worker may know that name too. */
  async contents({ ref, digest }: WantedModel, signal: AbortSignal | undefined): Promise<ModelContents> {
    const wanted = digest ?? (await this.resolve(ref, signal)).entry.digest;
    if (wanted === undefined) throw new ModelRtcError('not_found', `${this.name} has no finished model of that name.`);
    return { ...(await fetchManifest(await this.reach(signal), wanted, signal)), digest: wanted };
  }

  async requireModel({ digest }: WantedModel, signal: AbortSignal | undefined): Promise<void> {
    const peer = await this.reach(signal);
    const { name } = peer.remote.agent;
    if (digest === undefined) throw new ModelRtcError('not_found', `${name} knows models by their digests alone.`);
    const { entry } = await peer.request('get_model_info', { ref: digest }, { signal });
    if (entry.digest !== digest) throw new ModelRtcError('not_found', `${name} has another model now.`);
  }

  async serve({ digest }: WantedModel, options: ServeOptions): Promise<ModelRtcError> {
    const peer = await this.reach(options.signal);
    if (digest === undefined) return new ModelRtcError('not_found', 'A worker knows models by their digests alone.');
    return await serveUntilLost(peer, this.origin, digest, options);
  }

  /** A worker that does not answer, or is of version 1.0, changes nothing: the model is installed by then. */
  async noteInstalled({ digest, alias, answer }: InstalledModel): Promise<void> {
    const { link, log, registry, known } = this.#worker;
    try {
      await link.current?.request('report_installed', { digest, alias }, { timeoutMs: REPORT_WITHIN_MS });
    } catch (error) {
      log.debug({ err: error, digest }, 'the worker was not told of the installed model');
    }
    if (answer === undefined) return;
    await remembered(this.#worker, () => registry.recordSeen(known, wholeModels([answer])));
  }
}

/** Fetches a manifest and checks that it has the digest, since it decides which bytes are accepted. */
export async function fetchManifest(peer: Peer, digest: Digest, signal: AbortSignal | undefined): Promise<Manifest> {
  const { manifest } = await peer.request('get_manifest', { digest }, { signal });
  if (manifestDigest(manifest) === digest) return manifest;
  throw new ModelRtcError(
    'verification_failed',
    'The worker sent a manifest of another model than the one asked for; nothing was stored.',
  );
}

/** Serves until all lanes of the peer are gone. @returns why they are */
export async function serveUntilLost(
  peer: Peer,
  origin: string,
  digest: Digest,
  { pool, name, encodings, shared, signal }: ServeOptions,
): Promise<ModelRtcError> {
  let why: ModelRtcError | undefined;
  let onIdle = (): void => {};
  const idle = new Promise<void>((resolve) => {
    onIdle = resolve;
  });
  const stopListening = pool.onChange((change) => {
    if (change.type !== 'removed' || change.source.origin !== origin) return;
    why = change.error ?? why;
    // A lane that was lost may be replaced in a moment; a lane that was given up stays open and unused.
    if (change.error !== undefined && !pool.sources.some((source) => source.origin === origin)) onIdle();
  });
  const stop = peerSources(pool, peer, digest, name, { origin, encodings, shared });
  signal.addEventListener('abort', onIdle, { once: true });
  try {
    if (signal.aborted) return endedError();
    const closed = await Promise.race([peer.closed.then((error) => error ?? endedError()), idle]);
    return closed ?? why ?? endedError();
  } finally {
    signal.removeEventListener('abort', onIdle);
    stopListening();
    stop();
  }
}

function endedError(): ModelRtcError {
  return new ModelRtcError('network', 'The worker ended the connection.');
}
