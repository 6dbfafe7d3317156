import type { Mesh, MeshModelHolders, MeshOutcome } from '@model-rtc/mesh';
import { compareNodes } from '@model-rtc/mesh';
import { type ModelContents, ModelRtcError, type ModelSource, type SessionToken } from '@model-rtc/protocol';
import {
  closedError,
  type FetchedModel,
  type InstalledModel,
  type ModelProvider,
  type ProvidedModel,
  type ServeOptions,
  type WantedModel,
} from '@model-rtc/transfer';
import type { LaneInfo, Peer } from '@model-rtc/transport';
import type { ClientContext } from '../remote-worker.ts';
import type { SessionLink } from '../session-link.ts';
import { fetchManifest } from '../worker-provider.ts';
import { HolderCrew } from './holder-crew.ts';

/** How long to wait for a node to take a report, which is only a courtesy. */
const REPORT_WITHIN_MS = 3_000;

export interface MeshProviderOptions extends Pick<ClientContext, 'log' | 'clock' | 'random'> {
  readonly mesh: Mesh;
  /** Makes the lasting connection to a node's worker. */
  readonly linkTo: (token: SessionToken) => SessionLink;
}

/**
 * A mesh as a provider: its nodes that have the model, or a part of it, are the sources, and those that appear during the
 * transfer join. What came of asking each is told to the mesh.
 */
export class MeshProvider implements ModelProvider<MeshProvider> {
  readonly #options: MeshProviderOptions;
  /** By key of the node. */
  readonly #links = new Map<string, SessionLink>();
  #model: MeshModelHolders | undefined;
  #isClosed = false;

  constructor(options: MeshProviderOptions) {
    this.#options = options;
  }

  get origin(): string {
    return `mesh ${this.#options.mesh.id}`;
  }

  get name(): string {
    return `mesh ${this.#options.mesh.name}`;
  }

  /** Older agents read entries, and know no other source for what came from another machine. */
  get source(): ModelSource {
    return 'worker-pull';
  }

  get lanes(): readonly LaneInfo[] {
    return [...this.#links.values()].flatMap(({ lanes }) => lanes);
  }

  get wasReached(): boolean {
    return [...this.#links.values()].some(({ wasReached }) => wasReached);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Each holder is reached when it is asked. */
  async reach(): Promise<MeshProvider> {
    if (this.#isClosed) throw closedError();
    return this;
  }

  /** A holder that failed is reached anew when it is asked again. */
  async reset(): Promise<void> {}

  expectBulk(): void {
    for (const { current } of this.#links.values()) current?.expectBulk();
  }

  async resolve(ref: string, signal: AbortSignal | undefined): Promise<ProvidedModel> {
    this.#model = await this.#options.mesh.find(ref);
    const { digest } = this.#model;
    return await this.#askHolders(signal, (peer) => peer.request('get_model_info', { ref: digest }, { signal }));
  }

  async contents({ ref, digest }: WantedModel, signal: AbortSignal | undefined): Promise<ModelContents> {
    const wanted = digest ?? (await this.#options.mesh.find(ref)).digest;
    this.#model = await this.#options.mesh.find(wanted);
    const manifest = await this.#askHolders(signal, (peer) => fetchManifest(peer, wanted, signal));
    return { ...manifest, digest: wanted };
  }

  async requireModel({ digest }: FetchedModel): Promise<void> {
    if (digest === undefined) throw new ModelRtcError('not_found', `${this.name} knows models by their digests alone.`);
    this.#model = await this.#options.mesh.find(digest);
  }

  async serve({ digest }: FetchedModel, options: ServeOptions): Promise<ModelRtcError> {
    if (digest === undefined) return new ModelRtcError('not_found', 'A mesh knows models by their digests alone.');
    const link = (key: string): Promise<SessionLink> => this.#link(key);
    return await new HolderCrew({ ...this.#options, link }, digest, options).run();
  }

  async noteInstalled({ digest, alias }: InstalledModel): Promise<void> {
    const told = [...this.#links.values()].flatMap(({ current }) => current ?? []);
    const report = { digest, alias };
    await Promise.allSettled(
      told.map((peer) => peer.request('report_installed', report, { timeoutMs: REPORT_WITHIN_MS })),
    );
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  /** Asks holders, the best first, until one answers. */
  async #askHolders<T>(signal: AbortSignal | undefined, ask: (peer: Peer) => Promise<T>): Promise<T> {
    const { mesh, log } = this.#options;
    const holders = (this.#model?.holders ?? []).filter(({ node }) => !node.isSelf && node.isTrusted);
    const inOrder = [...holders].sort((a, b) => Number(b.isWhole) - Number(a.isWhole) || compareNodes(a.node, b.node));
    let last: unknown;
    for (const { node } of inOrder) {
      signal?.throwIfAborted();
      try {
        return await ask(await (await this.#link(node.key)).reach(signal));
      } catch (error) {
        log.debug({ err: error, node: node.key }, `${node.name} could not be asked`);
        const reason = ModelRtcError.from(error).code === 'verification_failed' ? 'hash_mismatch' : 'network_error';
        // Nobody expects an absent node to answer.
        if (node.isPresent && !signal?.aborted) await this.#note(node.key, { bytes: 0, ms: 0, ok: false, reason });
        last = error;
      }
    }
    throw last === undefined ? nobodyThere(mesh.name) : ModelRtcError.from(last);
  }

  /** A disk that refuses the note must not end the transfer. */
  async #note(key: string, outcome: MeshOutcome): Promise<void> {
    const { mesh, log } = this.#options;
    await mesh.noteOutcome(key, outcome).catch((cause: unknown) => log.debug({ err: cause }, 'not noted'));
  }

  async #link(key: string): Promise<SessionLink> {
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const token = await this.#options.mesh.session(key);
    // Another caller may have made it meanwhile.
    const link = this.#links.get(key) ?? this.#options.linkTo(token);
    this.#links.set(key, link);
    if (this.#isClosed) await link.close();
    return link;
  }
}

function nobodyThere(name: string): ModelRtcError {
  return new ModelRtcError(
    'worker_offline',
    `No node of the mesh ${name} that has the model can be reached. See who is there: model-rtc mesh peers.`,
  );
}
