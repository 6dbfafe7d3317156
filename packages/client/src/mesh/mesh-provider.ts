import type { Mesh, MeshModelHolders, MeshNodeInfo, MeshOutcome } from '@model-rtc/mesh';
import { compareNodes, inMeshWords } from '@model-rtc/mesh';
import { type ModelContents, ModelRtcError, type ModelSource, pause, type SessionToken } from '@model-rtc/protocol';
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

/** When holders are asked, and asked again that could not be reached. */
const ASK_AGAIN_AFTER_MS = [0, 500, 2_000] as const;
/** Nodes that an error names. */
const MAX_NAMED = 5;
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

  /**
   * Asks holders, the best first, until one answers. A node that was heard a moment ago and cannot be reached is busy, or many
   * ask it at once: it is asked again.
   */
  async #askHolders<T>(signal: AbortSignal | undefined, ask: (peer: Peer) => Promise<T>): Promise<T> {
    const { mesh, clock, log } = this.#options;
    const holders = (this.#model?.holders ?? []).filter(({ node }) => !node.isSelf && node.isTrusted);
    const inOrder = [...holders].sort((a, b) => Number(b.isWhole) - Number(a.isWhole) || compareNodes(a.node, b.node));
    let nodes = inOrder.map(({ node }) => node);
    let last: ModelRtcError | undefined;
    const failed = new Set<string>();
    for (const waitMs of ASK_AGAIN_AFTER_MS) {
      if (nodes.length > 0) await pause(waitMs, clock, signal);
      const unreached: MeshNodeInfo[] = [];
      for (const node of nodes) {
        signal?.throwIfAborted();
        try {
          return await ask(await (await this.#link(node.key)).reach(signal));
        } catch (thrown) {
          last = ModelRtcError.from(thrown);
          log.debug({ err: last, node: node.key }, `${node.name} could not be asked`);
          if (node.isPresent && isUnreached(last)) unreached.push(node);
          // Nobody expects an absent node to answer.
          const isNews = node.isPresent && !failed.has(node.key) && !signal?.aborted;
          if (isNews) await this.#note(node.key, failure(last));
          failed.add(node.key);
        }
      }
      nodes = unreached;
    }
    if (last === undefined || isUnreached(last))
      throw nobodyThere(mesh.name, { tried: inOrder.map(({ node }) => node.name), cause: last });
    throw inMeshWords(last, `${inOrder.find(({ node }) => failed.has(node.key))?.node.name} of the ${this.name}`);
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

function failure({ code }: ModelRtcError): MeshOutcome {
  return { bytes: 0, ms: 0, ok: false, reason: code === 'verification_failed' ? 'hash_mismatch' : 'network_error' };
}

function isUnreached({ code }: ModelRtcError): boolean {
  return code === 'worker_offline' || code === 'network' || code === 'timeout';
}

/** Where the nodes were looked for is in the cause: to whoever fetches from a mesh, its members' addresses say nothing. */
function nobodyThere(
  mesh: string,
  { tried, cause }: { readonly tried: readonly string[]; readonly cause: ModelRtcError | undefined },
): ModelRtcError {
  const named = tried.slice(0, MAX_NAMED).join(', ');
  const more = tried.length > MAX_NAMED ? ` and ${tried.length - MAX_NAMED} more` : '';
  const whom = tried.length === 0 ? '' : `: ${named}${more} did not answer`;
  return new ModelRtcError(
    'worker_offline',
    `No node of the mesh ${mesh} that has the model can be reached${whom}. See who is there: model-rtc mesh peers.`,
    { cause },
  );
}
