import { RecordSync } from '../../packages/mesh/src/core/gossip/record-sync.ts';
import type { SyncMessage, SyncReply } from '../../packages/mesh/src/core/gossip/types.ts';
import { MeshTraffic } from './mesh-traffic.ts';
import { BEAT_MS, beatOf, Followed, SimulatedStore } from './simulated-store.ts';
import { seededRandom, VirtualTime } from './virtual-time.ts';

/** Connections that a node opens; as many are opened to it. */
export const LINKS = 5;
const LATENCY_MS = [20, 80] as const;
const LOST_MS = 1_000;
const LOOK_MS = 500;
/** How long all of it lasts: a beat of each node after comparisons find what they usually do. */
const LENGTH_MS = 420_000;
const SETTLED_MS = LENGTH_MS - BEAT_MS;
/** When the first new model is announced, and over which time the others are. */
const CHANGES_FROM_MS = 60_000;
const CHANGES_MS = 180_000;
/** Signatures and disks are left out; everything else of an exchange is the real code. */
const SILENT = { debug() {}, info() {}, warn() {} };

/** What happens to a mesh whose nodes come and go. A fifth of all is away at any time. */
export interface MeshScenario {
  /** Those that are present at any time. */
  readonly nodes: number;
  /** Nodes whose heads and beats are followed, in place of all: what it costs to send those of one does not depend on others. */
  readonly followed: number;
  /** How many of these have a new model, each at a time of its own. */
  readonly changes: number;
  /** The mean time that a node stays; one that goes is replaced by one that was away. */
  readonly meanSessionMs: number;
  /** How many of the others' heads a node has missed when it comes back: a part of all. */
  readonly missedHeads: number;
  /** The part of all messages that is lost. */
  readonly loss: number;
  readonly headBytes: number;
}

export interface MeshOutcome {
  /** For each change: from its announcement until 99 % of the present nodes knew it. Those that never did are left out. */
  readonly msTo99: readonly number[];
  /** The same for each beat, from its time. */
  readonly beatMsTo99: readonly number[];
  /** How often a present node got each new head, was told of it by its number, and asked for it, on average. */
  readonly headCopies: number;
  readonly announcedCopies: number;
  readonly wants: number;
  /** How often a present node got each beat. */
  readonly beatCopies: number;
  /** What a present node receives in an hour for comparing. */
  readonly comparedBytesAnHour: number;
}

/** Runs it in virtual time. */
export async function simulateMesh(scenario: MeshScenario): Promise<MeshOutcome> {
  return await new Simulation(scenario).run();
}

interface SimulatedNode {
  readonly store: SimulatedStore;
  readonly sync: RecordSync;
  /** The names of those that it is linked with: their numbers. */
  readonly links: Set<string>;
  isPresent: boolean;
}

/** Something that all should know, and since when. */
interface Event {
  readonly place: number;
  readonly sequence: number;
  /** 0 for a head. */
  readonly index: number;
  readonly atMs: number;
}

class Simulation {
  readonly #scenario: MeshScenario;
  readonly #random = seededRandom(1);
  readonly #time = new VirtualTime(LENGTH_MS, this.#random);
  readonly #followed: Followed;
  readonly #traffic: MeshTraffic;
  readonly #nodes: SimulatedNode[];
  readonly #unknown = new Set<Event>();
  readonly #msTo99: number[] = [];
  readonly #beatMsTo99: number[] = [];
  /** Each node has two, its membership and its head. */
  readonly #records: number;
  #beats = 0;

  constructor(scenario: MeshScenario) {
    this.#scenario = scenario;
    const { nodes, followed } = scenario;
    const all = Math.floor(nodes * 1.25);
    this.#followed = new Followed(followed, () => -this.#random() * BEAT_MS);
    this.#records = 2 * all;
    const isNews = (_: number, sequence: number): boolean => sequence > 1;
    this.#traffic = new MeshTraffic({ ...scenario, members: all, isNews });
    this.#nodes = Array.from({ length: all }, (_, i) => this.#createNode(String(i), i < nodes));
    for (let i = 0; i < nodes; i++) this.#link(i);
  }

  async run(): Promise<MeshOutcome> {
    const { changes, nodes, followed } = this.#scenario;
    for (let i = 0; i < followed; i++) this.#beatAfter(i, 1, this.#followed.issuedAtMs(i, 1) + BEAT_MS);
    for (let i = 0; i < changes; i++)
      this.#time.after(CHANGES_FROM_MS + (i * CHANGES_MS) / changes, () => this.#change());
    this.#every(1_000, () => this.#churn());
    this.#every(LOOK_MS, () => this.#look());
    this.#time.after(SETTLED_MS, () => this.#traffic.beginComparing(this.#time.nowMs));
    await this.#time.pass();
    for (const { sync } of this.#nodes) sync.close();
    const { headCopies, announcedCopies, wants, beatCopies } = this.#traffic;
    const ofHeads = { headCopies, announcedCopies, wants };
    const perHead = Object.entries(ofHeads).map(([name, count]) => [name, count / nodes / changes]);
    return {
      ...{ msTo99: this.#msTo99, beatMsTo99: this.#beatMsTo99, ...(Object.fromEntries(perHead) as typeof ofHeads) },
      beatCopies: beatCopies / nodes / this.#beats,
      comparedBytesAnHour: this.#traffic.comparedBytesAnHour(this.#time.nowMs),
    };
  }

  #createNode(self: string, isPresent: boolean): SimulatedNode {
    const links = new Set<string>();
    const store = new SimulatedStore(this.#followed, this.#records);
    const sync = new RecordSync({
      ...{ store, log: SILENT, clock: this.#time.clock, random: this.#random, wallMs: () => this.#time.nowMs },
      tell: (key, message) => this.#tell(self, key, message),
      fetchParts: () => Promise.resolve([]),
      // One that goes has no links any more.
      linked: () => [...links],
      onNews: () => {},
      onBrokenLimit: (_, problem) => {
        throw new Error(problem);
      },
    });
    return { store, sync, links, isPresent };
  }

  #tell(from: string, to: string, message: SyncMessage): Promise<SyncReply> {
    return new Promise((resolve, reject) => {
      if (this.#random() < this.#scenario.loss) {
        this.#time.after(LOST_MS, () => reject(new Error('lost')));
        return;
      }
      this.#time.after(this.#latency(), () => {
        const node = this.#node(Number(to));
        if (!node.isPresent) {
          reject(new Error('away'));
          return;
        }
        this.#traffic.received(message);
        node.sync.answer(from, message).then((reply) => {
          this.#traffic.received(reply);
          this.#time.after(this.#latency(), () => resolve(reply));
        }, reject);
      });
    });
  }

  /** A node that is away says nothing. */
  #beatAfter(place: number, index: number, delayMs: number): void {
    const sequence = this.#followed.newestOf(place);
    this.#time.after(delayMs, () => {
      // A new head has a chain of its own.
      if (this.#followed.newestOf(place) !== sequence) return;
      this.#beatAfter(place, index + 1, BEAT_MS);
      const { store, sync, isPresent } = this.#node(place);
      if (!isPresent) return;
      store.beats[place] = index;
      this.#beats += 1;
      this.#unknown.add({ place, sequence, index, atMs: this.#time.nowMs });
      sync.announceBeat(beatOf(this.#followed.hints[place] as string, sequence, index));
    });
  }

  /** One of those that are present and had none has a new model. */
  #change(): void {
    const place = this.#followed.hints.findIndex((_, i) => this.#node(i).isPresent && this.#followed.newestOf(i) === 1);
    const { store, sync } = this.#node(place);
    const sequence = this.#followed.sign(place, this.#time.nowMs);
    store.sequences[place] = sequence;
    store.beats[place] = 0;
    this.#unknown.add({ place, sequence, index: 0, atMs: this.#time.nowMs });
    this.#beatAfter(place, 1, BEAT_MS);
    void sync.announce([this.#followed.names[place] as string]);
  }

  /** As many come as go. */
  #churn(): void {
    const expected = (this.#scenario.nodes * 1000) / this.#scenario.meanSessionMs;
    const count = Math.floor(expected) + (this.#random() < expected % 1 ? 1 : 0);
    for (let i = 0; i < count; i++) {
      const [gone, back] = [this.#any(true), this.#any(false)];
      const [node, replacement] = [this.#node(gone), this.#node(back)];
      node.isPresent = false;
      for (const other of node.links) {
        this.#node(Number(other)).links.delete(String(gone));
        this.#linkTo(Number(other), this.#any(true));
      }
      node.links.clear();
      this.#wasAway(replacement, back);
      this.#link(back);
    }
  }

  /** Comes back, and lacks what was new meanwhile: the simulation is shorter than nodes are away. */
  #wasAway(node: SimulatedNode, self: number): void {
    node.isPresent = true;
    node.store.sequences.forEach((sequence, place, all) => {
      if (place === self || this.#random() >= this.#scenario.missedHeads) return;
      all[place] = sequence - 1;
      node.store.beats[place] = 0;
    });
  }

  #link(self: number): void {
    for (let i = 0; i < LINKS; i++) this.#linkTo(self, this.#any(true));
  }

  #linkTo(self: number, other: number): void {
    if (self === other) return;
    this.#node(self).links.add(String(other));
    this.#node(other).links.add(String(self));
    if (this.#time.nowMs > 0) void this.#node(self).sync.compare(String(other));
  }

  #look(): void {
    for (const event of this.#unknown) {
      const { place, sequence, index, atMs } = event;
      let knowing = 0;
      for (const { isPresent, store } of this.#nodes) {
        const known = store.sequences[place] as number;
        if (isPresent && (known > sequence || (known === sequence && (store.beats[place] as number) >= index)))
          knowing += 1;
      }
      if (knowing < this.#scenario.nodes * 0.99) continue;
      this.#unknown.delete(event);
      (index === 0 ? this.#msTo99 : this.#beatMsTo99).push(this.#time.nowMs - atMs);
    }
  }

  #every(intervalMs: number, job: () => void): void {
    this.#time.after(intervalMs, () => {
      job();
      this.#every(intervalMs, job);
    });
  }

  #latency(): number {
    return LATENCY_MS[0] + this.#random() * (LATENCY_MS[1] - LATENCY_MS[0]);
  }

  #node(number: number): SimulatedNode {
    return this.#nodes[number] as SimulatedNode;
  }

  #any(isPresent: boolean): number {
    for (;;) {
      const one = Math.floor(this.#random() * this.#nodes.length);
      if (this.#node(one).isPresent === isPresent) return one;
    }
  }
}
