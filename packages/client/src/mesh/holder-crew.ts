import { chooseHolders, type Mesh, type MeshHolder, type MeshOutcome } from '@model-rtc/mesh';
import { type Digest, ModelRtcError } from '@model-rtc/protocol';
import type { ServeOptions } from '@model-rtc/transfer';
import type { Peer } from '@model-rtc/transport';
import type { ClientContext } from '../remote-worker.ts';
import type { SessionLink } from '../session-link.ts';
import { serveUntilLost } from '../worker-provider.ts';
import { PartHolders } from './part-holders.ts';

/** Nodes that one transfer takes chunks from at once. */
const MAX_HOLDERS = 8;
/** How often it is looked for new holders, and for holders that gave nothing. */
const LOOK_MS = 2_000;
/** A holder that gave nothing for this long makes room for another one. */
const USELESS_MS = 20_000;
/** A holder that failed is asked again after this time, doubled each time, up to the longest. */
const AGAIN_MS = 2_000;
const LONGEST_AGAIN_MS = 60_000;

export interface CrewParts extends Pick<ClientContext, 'log' | 'clock' | 'random'> {
  readonly mesh: Mesh;
  readonly link: (key: string) => Promise<SessionLink>;
}

interface Member {
  readonly holder: MeshHolder;
  readonly name: string;
  readonly over: AbortController;
  peer: Peer | undefined;
  /** By lane, what it brought: lanes come and go. */
  readonly lanes: Map<number, number>;
  bytes: number;
  usefulMs: number;
}

/** The holders that give a model's chunks to one transfer: a bounded number of them, and others when some leave or are useless. */
export class HolderCrew {
  readonly #parts: CrewParts;
  readonly #digest: Digest;
  readonly #options: ServeOptions;
  /** By key. */
  readonly #members = new Map<string, Member>();
  /** By key: when it may be asked again; infinity for one that gave wrong content. */
  readonly #notBeforeMs = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  /** Each member until what came of asking it is noted. */
  readonly #serving = new Set<Promise<void>>();
  /** By key: its catalog when it failed. A newer one is a sign of life. */
  readonly #failedAt = new Map<string, number>();
  /** Keys of nodes with the whole model whose loss was told. */
  readonly #lost = new Set<string>();
  readonly #partHolders = new PartHolders();
  #lastError: ModelRtcError | undefined;
  #wake = (): void => {};

  constructor(parts: CrewParts, digest: Digest, options: ServeOptions) {
    this.#parts = parts;
    this.#digest = digest;
    this.#options = options;
  }

  /** Resolves when no holder is left that could be asked now, or when the signal aborts. @returns why */
  async run(): Promise<ModelRtcError> {
    const { mesh, clock } = this.#parts;
    const { signal } = this.#options;
    const wake = (): void => this.#wake();
    const stops = [mesh.onChange(wake), clock.every(LOOK_MS, wake)];
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        // Armed before looking, so that nothing that happens meanwhile is missed.
        const woken = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        await this.#fill();
        if (this.#members.size === 0 && !signal.aborted) return this.#lastError ?? nobody(mesh.name);
        await woken;
      }
      return nobody(mesh.name);
    } finally {
      for (const stop of stops) stop();
      signal.removeEventListener('abort', wake);
      for (const { over } of this.#members.values()) over.abort();
      // A process may end right after its transfer, and what it learned of the nodes would be lost.
      await Promise.all(this.#serving);
    }
  }

  async #fill(): Promise<void> {
    const { mesh, clock, random } = this.#parts;
    const nowMs = clock.nowMs();
    const { holders } = await mesh.find(this.#digest);
    this.#measure(nowMs);
    this.#hearSigns(holders);
    const except = (key: string): boolean => this.#members.has(key) || nowMs < (this.#notBeforeMs.get(key) ?? 0);
    const able = chooseHolders(holders, { except, random, count: holders.length });
    if (this.#members.size >= MAX_HOLDERS && able.length > 0) this.#dropUseless(nowMs);
    this.#letNewcomersIn(able, nowMs);
    const count = MAX_HOLDERS - this.#members.size;
    if (count <= 0) return;
    const chosen = chooseHolders(holders, { except, random, count });
    const hasWhole = [...chosen, ...[...this.#members.values()].map(({ holder }) => holder)].some(
      ({ isWhole }) => isWhole,
    );
    for (const holder of hasWhole ? this.#partHolders.inTurn(chosen, nowMs) : chosen) {
      this.#join(holder, nowMs);
    }
  }

  #join(holder: MeshHolder, nowMs: number): void {
    const { key, name } = holder.node;
    this.#parts.log.debug({ node: key }, `${name} is asked for chunks`);
    const isTaken = [...this.#members.values()].some((member) => member.name === name) || name === this.#options.name;
    const shown = isTaken ? `${name} (${key.slice(0, 8)})` : name;
    const over = new AbortController();
    const member: Member = { holder, name: shown, over, peer: undefined, lanes: new Map(), bytes: 0, usefulMs: nowMs };
    this.#members.set(key, member);
    const serving = this.#serve(member).then((error) => {
      // It may have been sent away, and chosen again.
      if (this.#members.get(key) === member) this.#members.delete(key);
      this.#left(member, error);
      this.#wake();
    });
    this.#serving.add(serving);
    void serving.finally(() => this.#serving.delete(serving));
  }

  /** @returns why it gives nothing any more; undefined when it was sent away or the transfer is over */
  async #serve(member: Member): Promise<ModelRtcError | undefined> {
    const { mesh, clock, link, log } = this.#parts;
    const { key } = member.holder.node;
    const signal = AbortSignal.any([this.#options.signal, member.over.signal]);
    const beganMs = clock.nowMs();
    let error: ModelRtcError | undefined;
    try {
      const peer = await (await link(key)).reach(signal);
      member.peer = peer;
      if (this.#lost.delete(key)) this.#options.onNews?.({ name: member.name, state: 'serving' });
      peer.expectBulk();
      error = await serveUntilLost(peer, key, this.#digest, {
        ...this.#options,
        name: member.name,
        shared: await this.#passesOn(),
        signal,
      });
    } catch (thrown) {
      error = ModelRtcError.from(thrown);
    }
    if (signal.aborted) error = undefined;
    const outcome = this.#isKnownOutage(member) ? undefined : outcomeOf(member, error, clock.nowMs() - beganMs);
    if (outcome !== undefined)
      await mesh.noteOutcome(key, outcome).catch((cause: unknown) => log.debug({ err: cause }, 'not noted'));
    return error;
  }

  /** Whether others can get from here what comes: from this machine's worker, while it runs. */
  async #passesOn(): Promise<boolean> {
    return (await this.#parts.mesh.nodes()).some(({ isSelf, isPresent }) => isSelf && isPresent);
  }

  /** Nothing came, as was to be expected of a node that is absent. And an outage counts once, however often the node is tried in it. */
  #isKnownOutage({ holder: { node }, peer }: Member): boolean {
    return peer === undefined && (!node.isPresent || this.#failures.has(node.key));
  }

  #left({ holder, name, peer }: Member, error: ModelRtcError | undefined): void {
    if (error === undefined) return;
    const { key, sequence } = holder.node;
    this.#lastError = error;
    this.#failedAt.set(key, sequence);
    // Nodes that have a part come and go, and the others have that part too.
    if (holder.isWhole && peer !== undefined) {
      this.#lost.add(key);
      this.#options.onNews?.({ name, state: 'lost', reason: error.message });
    }
    const { clock, log } = this.#parts;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const isLiar = isWrongContent(error);
    if (isLiar) log.warn({ node: key }, `a node of the mesh sent wrong content, and is trusted less: ${error.message}`);
    const waitMs = Math.min(LONGEST_AGAIN_MS, AGAIN_MS * 2 ** (failures - 1));
    this.#notBeforeMs.set(key, isLiar ? Number.POSITIVE_INFINITY : clock.nowMs() + waitMs);
  }

  /** A node that failed and has announced something since is there again, and is asked at once. */
  #hearSigns(holders: readonly MeshHolder[]): void {
    for (const { node } of holders) {
      const failedAt = this.#failedAt.get(node.key);
      if (failedAt === undefined || node.sequence <= failedAt) continue;
      this.#failedAt.delete(node.key);
      if (this.#notBeforeMs.get(node.key) !== Number.POSITIVE_INFINITY) this.#notBeforeMs.delete(node.key);
    }
  }

  #measure(nowMs: number): void {
    for (const member of this.#members.values()) {
      const bytes = receivedBytes(member);
      if (bytes <= member.bytes) continue;
      member.bytes = bytes;
      member.usefulMs = nowMs;
    }
  }

  #letNewcomersIn(able: readonly MeshHolder[], nowMs: number): void {
    const isFull = this.#members.size >= MAX_HOLDERS;
    const parts = [...this.#members].filter(([, { holder }]) => isFull && !holder.isWhole).map(([key]) => key);
    const isPart = ({ isWhole }: MeshHolder): boolean => !isWhole;
    const exchange = this.#partHolders.exchange(able.filter(isPart), parts, this.#parts.random);
    if (exchange === undefined) return;
    this.#sendAway(exchange.leaves, nowMs);
    this.#join(exchange.comes, nowMs);
  }

  /** Sends away the node that gave nothing for the longest time. */
  #dropUseless(nowMs: number): void {
    let worst: [string, Member] | undefined;
    for (const entry of this.#members) {
      const [, member] = entry;
      if (nowMs - member.usefulMs >= USELESS_MS && (worst === undefined || member.usefulMs < worst[1].usefulMs))
        worst = entry;
    }
    if (worst !== undefined) this.#sendAway(worst[0], nowMs);
  }

  /** It may be chosen again later. */
  #sendAway(key: string, nowMs: number): void {
    const member = this.#members.get(key);
    this.#notBeforeMs.set(key, nowMs + LONGEST_AGAIN_MS);
    this.#members.delete(key);
    member?.over.abort();
  }
}

function receivedBytes({ peer, lanes }: Member): number {
  for (const { id, receivedBytes } of peer?.lanes ?? []) lanes.set(id, receivedBytes);
  return [...lanes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Undefined where nothing can be said: it was sent away before it gave anything. */
function outcomeOf(member: Member, error: ModelRtcError | undefined, ms: number): MeshOutcome | undefined {
  const bytes = Math.max(member.bytes, receivedBytes(member));
  const [lane] = member.peer?.lanes ?? [];
  const how = { bytes, ms, latencyMs: lane?.rttMs, lane: lane?.kind === 'memory' ? undefined : lane?.kind };
  if (error === undefined) return bytes === 0 ? undefined : { ...how, ok: true };
  if (isWrongContent(error)) return { ...how, ok: false, reason: 'hash_mismatch' };
  if (error.code === 'not_found' || error.code === 'busy') return undefined;
  return { ...how, ok: false, reason: error.code === 'timeout' ? 'timeout' : 'network_error' };
}

function isWrongContent({ code }: ModelRtcError): boolean {
  return code === 'verification_failed' || code === 'source_changed' || code === 'malformed_message';
}

function nobody(name: string): ModelRtcError {
  return new ModelRtcError(
    'worker_offline',
    `No node of the mesh ${name} that has the model can be reached. See who is there: model-rtc mesh peers.`,
  );
}
