import type { Clock } from '@model-rtc/protocol';
import { BEAT_BYTES } from '../../packages/mesh/src/core/beats/beat.ts';
import { RecordSync } from '../../packages/mesh/src/core/gossip/record-sync.ts';
import type { SyncMessage, SyncReply } from '../../packages/mesh/src/core/gossip/types.ts';
import { BEAT_MS, type Beaters, beatersOf, beatOf, SimulatedStore } from './simulated-store.ts';

/** Connections that a node opens; as many are opened to it. */
const LINKS = 5;
const LATENCY_MS = [20, 80] as const;
const TICK_MS = 10;
const SETTLED_MS = 90_000;
/** Signatures and disks are left out; everything else of an exchange is the real code. */
const SILENT = { debug() {}, info() {}, warn() {} };

/** What happens to a mesh whose nodes come and go. */
export interface MeshScenario {
  readonly nodes: number;
  /** New models, each in a catalog of its own, spread over three minutes. */
  readonly changes: number;
  /** The mean time that a node stays; one that goes is replaced by one that was away. */
  readonly meanSessionMs: number;
  /** The part of all messages that is lost. */
  readonly loss: number;
  /** How many of the nodes say every five minutes that they are there, and are followed. */
  readonly beaters: number;
}

export interface MeshOutcome {
  /** For each change: from its announcement until 99 % of the present nodes knew it. Those that never did are left out. */
  readonly msTo99: readonly number[];
  /** How often a present node got each record, on average. */
  readonly copies: number;
  /** How often a present node got each beat, on average. */
  readonly beatCopies: number;
  /** For each beat: from its time until 99 % of the present nodes knew it. */
  readonly beatMsTo99: readonly number[];
  /** Names that two differ in when they compare now and then, on average. */
  readonly differing: number;
}

/** Runs it in virtual time. */
export async function simulateMesh(scenario: MeshScenario): Promise<MeshOutcome> {
  return await new Simulation(scenario).run();
}

interface SimulatedNode {
  readonly store: SimulatedStore;
  readonly sync: RecordSync;
  readonly links: Set<number>;
}

class Simulation {
  readonly #scenario: MeshScenario;
  readonly #nodes: SimulatedNode[];
  readonly #present: boolean[] = [];
  /** When each came back. */
  readonly #since: number[] = [];
  readonly #due = new Map<number, (() => void)[]>();
  readonly #announcedAt: number[] = [];
  readonly #msTo99 = new Map<number, number>();
  #tick = 0;
  readonly #beaters: Beaters;
  readonly #places: ReadonlyMap<string, number>;
  readonly #beatAt = new Map<string, number>();
  readonly #beatMsTo99 = new Map<string, number>();
  #differing = 0;
  #copies = 0;
  #beatCopies = 0;
  #hashes = 0;
  #seed = 1;

  constructor(scenario: MeshScenario) {
    this.#scenario = scenario;
    // A fifth is away at any time.
    const all = Math.floor(scenario.nodes * 1.25);
    this.#beaters = beatersOf(scenario.beaters, () => -this.#random() * BEAT_MS);
    this.#places = new Map(this.#beaters.hints.map((hint, i) => [hint, i]));
    this.#nodes = Array.from({ length: all }, (_, i) => this.#createNode(i));
    for (let i = 0; i < all; i++) this.#present.push(i < scenario.nodes);
    for (let i = 0; i < scenario.nodes; i++) this.#link(i);
  }

  async run(): Promise<MeshOutcome> {
    const { changes, nodes, beaters } = this.#scenario;
    for (let i = 0; i < beaters; i++) this.#after((this.#beaters.issuedAtMs[i] ?? 0) + BEAT_MS, () => this.#beat(i, 1));
    this.#after(1000, () => this.#churn());
    for (let i = 0; i < changes; i++) this.#after(60_000 + (i * 180_000) / changes, () => this.#change(i));
    const last = 420_000 / TICK_MS;
    for (; this.#tick < last; this.#tick++) {
      const jobs = this.#due.get(this.#tick) ?? [];
      this.#due.delete(this.#tick);
      for (const job of jobs) job();
      if (jobs.length > 0) await new Promise((resolve) => setImmediate(resolve));
      if (this.#tick % 50 === 0) this.#look();
    }
    for (const { sync } of this.#nodes) sync.close();
    return {
      ...{ msTo99: [...this.#msTo99.values()], copies: this.#copies / nodes / changes },
      ...{ beatCopies: this.#beatCopies / nodes / this.#beatAt.size, beatMsTo99: [...this.#beatMsTo99.values()] },
      differing: this.#differing / this.#hashes,
    };
  }

  #createNode(self: number): SimulatedNode {
    const links = new Set<number>();
    const store = new SimulatedStore(this.#beaters, this.#places);
    const sync = new RecordSync({
      ...{ store, log: SILENT, clock: this.#clock(), random: () => this.#random() },
      wallMs: () => this.#tick * TICK_MS,
      tell: (key, message) => this.#tell(self, Number(key), message),
      fetchParts: () => Promise.resolve([]),
      linked: () => (this.#present[self] ? [...links].filter((other) => this.#present[other]).map(String) : []),
      onNews: () => {},
      onBrokenLimit: () => {},
    });
    return { store, sync, links };
  }

  #tell(from: number, to: number, message: SyncMessage): Promise<SyncReply> {
    return new Promise((resolve, reject) => {
      if (this.#random() < this.#scenario.loss) {
        this.#after(1000, () => reject(new Error('lost')));
        return;
      }
      this.#after(this.#latency(), () => {
        if (!this.#present[to]) {
          reject(new Error('away'));
          return;
        }
        this.#note(message);
        this.#noteComparison(from, to, message);
        const node = this.#nodes[to] as SimulatedNode;
        node.sync.answer(String(from), message).then((reply) => {
          this.#note(reply);
          this.#after(this.#latency(), () => resolve(reply));
        }, reject);
      });
    });
  }

  #note(message: SyncMessage | SyncReply): void {
    this.#copies += message.records.length;
    this.#beatCopies += (message.beats?.length ?? 0) / BEAT_BYTES;
  }

  /** How much two that compare differ, leaving out who has just come back. */
  #noteComparison(from: number, to: number, { hashes, have, ranges }: SyncMessage): void {
    const sinceTick = Math.max(this.#since[from] ?? 0, this.#since[to] ?? 0);
    if (this.#tick - sinceTick < SETTLED_MS / TICK_MS) return;
    if (hashes !== undefined) this.#hashes += 1;
    if (have !== undefined) this.#differing += ranges?.length ?? 0;
  }

  /** A node that is away says nothing. */
  #beat(beater: number, index: number): void {
    this.#after(BEAT_MS, () => this.#beat(beater, index + 1));
    const { store, sync } = this.#nodes[beater] as SimulatedNode;
    if (this.#present[beater] !== true) return;
    const beat = beatOf(this.#beaters.hints[beater] as string, index);
    store.beats[beater] = index;
    this.#beatAt.set(`${beater}/${index}`, this.#tick * TICK_MS);
    sync.announceBeat(beat);
  }

  #change(number: number): void {
    const self = this.#anyPresent();
    const node = this.#nodes[self] as SimulatedNode;
    node.store.known.add(number);
    this.#announcedAt[number] = this.#tick * TICK_MS;
    void node.sync.announce([String(number)]);
  }

  /** As many come as go. */
  #churn(): void {
    const expected = (this.#scenario.nodes * 1000) / this.#scenario.meanSessionMs;
    const count = Math.floor(expected) + (this.#random() < expected % 1 ? 1 : 0);
    for (let i = 0; i < count; i++) {
      const gone = this.#anyPresent();
      const back = this.#any(false);
      this.#present[gone] = false;
      this.#present[back] = true;
      this.#since[back] = this.#tick;
      for (const other of this.#nodes[gone]?.links ?? []) {
        this.#nodes[other]?.links.delete(gone);
        if (this.#present[other]) this.#linkTo(other, this.#anyPresent());
      }
      this.#nodes[gone]?.links.clear();
      this.#link(back);
    }
    this.#after(1000, () => this.#churn());
  }

  #link(self: number): void {
    for (let i = 0; i < LINKS; i++) this.#linkTo(self, this.#anyPresent());
  }

  #linkTo(self: number, other: number): void {
    if (self === other) return;
    this.#nodes[self]?.links.add(other);
    this.#nodes[other]?.links.add(self);
    if (this.#tick > 0) void this.#nodes[self]?.sync.compare(String(other));
  }

  #look(): void {
    const nowMs = this.#tick * TICK_MS;
    this.#announcedAt.forEach((atMs, number) => {
      if (this.#msTo99.has(number)) return;
      const knowing = this.#nodes.filter(({ store }, i) => this.#present[i] && store.known.has(number)).length;
      if (knowing >= this.#scenario.nodes * 0.99) this.#msTo99.set(number, nowMs - atMs);
    });
    for (const [name, atMs] of this.#beatAt) {
      if (this.#beatMsTo99.has(name) || this.#tick % 100 !== 0) continue;
      const [beater = 0, index = 0] = name.split('/').map(Number);
      const knowing = this.#nodes.filter(
        ({ store }, i) => this.#present[i] && (store.beats[beater] ?? 0) >= index,
      ).length;
      if (knowing >= this.#scenario.nodes * 0.99) this.#beatMsTo99.set(name, nowMs - atMs);
    }
  }

  #clock(): Clock {
    return {
      nowMs: () => this.#tick * TICK_MS,
      after: (delayMs, callback) => {
        this.#after(delayMs, callback);
        return () => {};
      },
      every: (intervalMs, callback) => {
        const again = (): void => {
          callback();
          this.#after(intervalMs, again);
        };
        // Nodes did not all begin at one moment.
        this.#after(this.#random() * intervalMs, again);
        return () => {};
      },
    };
  }

  #after(delayMs: number, job: () => void): void {
    const tick = this.#tick + Math.max(1, Math.ceil(delayMs / TICK_MS));
    const jobs = this.#due.get(tick);
    if (jobs === undefined) this.#due.set(tick, [job]);
    else jobs.push(job);
  }

  #latency(): number {
    return LATENCY_MS[0] + this.#random() * (LATENCY_MS[1] - LATENCY_MS[0]);
  }

  #anyPresent(): number {
    return this.#any(true);
  }

  #any(isPresent: boolean): number {
    for (;;) {
      const one = Math.floor(this.#random() * this.#present.length);
      if (this.#present[one] === isPresent) return one;
    }
  }

  /** The same every time (mulberry32). */
  #random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}
