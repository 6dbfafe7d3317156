import { ModelRtcError, silentLog } from '@model-rtc/protocol';
import type { Peer } from '@model-rtc/transport';
import { VirtualClock } from '../../../../test/support/virtual-clock.ts';
import { Links } from '../../src/node/links/links.ts';
import { Neighbourhood } from '../../src/node/links/neighbourhood.ts';

const WALL_MS = Date.UTC(2026, 0, 1);
/** As of a peer, and of a network that drops everything. */
const GONE_MS = 5_000;
const NO_ANSWER_MS = 10_000;
const LOOK_MS = 2_000;

interface Node {
  readonly links: Links;
  readonly neighbourhood: Neighbourhood;
  /** When it last heard of each other node, over whichever nodes. */
  readonly heardAtMs: Map<string, number>;
}

/** Nodes of one mesh that keep their connections in virtual time, on a network that can be cut in two. */
export class CutNetwork {
  readonly clock = new VirtualClock();
  readonly keys: readonly string[];
  readonly #nodes = new Map<string, Node>();
  readonly #open = new Set<{ readonly ends: readonly [string, string]; readonly end: () => void }>();
  readonly #dials: string[] = [];
  #half: ReadonlySet<string> = new Set();

  constructor(count: number) {
    this.keys = Array.from({ length: count }, (_, i) => String(i).padStart(64, '0'));
    for (const [i, key] of this.keys.entries()) this.#nodes.set(key, this.#createNode(key, random(i)));
    this.clock.every(LOOK_MS, () => this.#look());
    this.#look();
  }

  /** Nothing goes between these and the others from now on; between all again where it is empty. */
  cut(half: readonly string[]): void {
    this.#half = new Set(half);
    for (const { ends, end } of this.#open) if (this.#isCut(ends)) this.clock.after(GONE_MS, end);
  }

  node(key: string): Node {
    return this.#nodes.get(key) as Node;
  }

  /** The nodes that hear of this one, over any others. */
  reachedFrom(key: string): Set<string> {
    const reached = new Set([key]);
    for (const one of reached) for (const other of this.node(one).links.linked()) reached.add(other);
    return reached;
  }

  /** How often nodes tried to connect since this was asked last. */
  takeDials(): number {
    return this.#dials.splice(0).length;
  }

  #look(): void {
    for (const key of this.keys)
      for (const other of this.reachedFrom(key)) this.node(key).heardAtMs.set(other, WALL_MS + this.clock.nowMs());
    for (const { neighbourhood } of this.#nodes.values()) neighbourhood.look();
  }

  #createNode(key: string, chance: () => number): Node {
    const { clock } = this;
    const heardAtMs = new Map<string, number>();
    const links: Links = new Links({
      ...{ clock, log: silentLog, onLinked: (other) => neighbourhood.reached(other), onUnlinked: () => {} },
      connect: (other, signal) => this.#connect(key, other, signal),
      onFailed: (other) => neighbourhood.failed(other, false),
    });
    const members = this.keys.map((one) => ({ key: one, name: one, scopes: [], joinedAt: new Date(WALL_MS) }));
    const neighbourhood = new Neighbourhood({
      view: { members: () => members, aliveAtMs: (other) => heardAtMs.get(other), scopesOf: () => [] },
      ...{ ownKey: key, contacts: [], sessions: { lanHint: () => '' }, addresses: { recognise: () => {} } },
      urlsOf: () => ['ws://10.0.0.1:1'],
      isLinked: (other) => links.peerOf(other) !== undefined,
      want: (keys) => links.want(keys),
      ...{ clock, wallMs: () => WALL_MS + clock.nowMs(), random: chance },
    });
    return { links, neighbourhood, heardAtMs };
  }

  async #connect(from: string, to: string, signal: AbortSignal): Promise<Peer> {
    this.#dials.push(from);
    if (this.#isCut([from, to])) {
      await new Promise<void>((resolve) => void this.clock.after(NO_ANSWER_MS, resolve));
      throw signal.aborted
        ? new ModelRtcError('cancelled', 'It is not needed any more.')
        : new ModelRtcError('network', 'Nobody answers.');
    }
    let end = (): void => {};
    const closed = new Promise<undefined>((resolve) => {
      end = () => resolve(undefined);
    });
    const open = { ends: [from, to] as const, end };
    this.#open.add(open);
    void closed.then(() => this.#open.delete(open));
    const peer = { closed, close: async () => end() } as Partial<Peer> as Peer;
    this.node(to).links.adopt(from, peer);
    return peer;
  }

  #isCut([a, b]: readonly [string, string]): boolean {
    return this.#half.has(a) !== this.#half.has(b);
  }
}

/** The same numbers each time. */
function random(seed: number): () => number {
  let state = seed * 7919 + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
