import { Schedule } from '../../src/core/schedule/schedule.ts';
import { FirstCopies } from '../../src/core/serve/first-copies.ts';

export interface SwarmOfNodes {
  readonly chunks: number;
  readonly chunkBytes: number;
  readonly nodes: number;
  /** What the seed sends to all together, shared equally by those that it is sending to. */
  readonly seedBytesPerSecond: number;
  /** What each node sends to all together. */
  readonly nodeBytesPerSecond: number;
  /** To how many other nodes each is connected. */
  readonly peers: number;
  /** How long until the others know that a node has a chunk. */
  readonly newsMs: number;
  readonly random: () => number;
  /** The seed is gone once this many different chunks were sent whole. */
  readonly seedLeavesAfter?: number;
  /** Connections of each node to the seed; 1 by default. */
  readonly lanes?: number;
  /** Whether the seed lets a chunk spread from its first receiver; true by default. */
  readonly spreads?: boolean;
}

export interface SwarmRun {
  /** When the first and the last node had everything. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Bytes that the seed sent, whole chunks and parts. */
  readonly seedBytes: number;
}

interface Asked {
  readonly id: number;
  leftBytes: number;
}

/** What one sender owes one receiver, in the order of its requests. */
interface Link {
  readonly from: number;
  readonly to: number;
  /** The number of the sender in the receiver's schedule. */
  readonly source: number;
  readonly queue: Asked[];
  isOpen: boolean;
}

const STEP_MS = 10;
const TICK_MS = 100;
const SEED = 0;

/** Many nodes that fetch one model from a seed and from each other, each with a schedule of its own, in virtual time. */
export class SimulatedSwarm {
  readonly #options: SwarmOfNodes;
  readonly #schedules: Schedule[];
  readonly #has: Uint8Array[];
  readonly #links: Link[] = [];
  /** Of each sender. */
  readonly #copies: FirstCopies[];
  readonly #news: { atMs: number; node: number; id: number }[] = [];
  readonly #doneMs = new Map<number, number>();
  readonly #whole = new Set<number>();
  #nowMs = 0;
  #seedBytes = 0;

  constructor(options: SwarmOfNodes) {
    this.#options = options;
    const { nodes, chunks, chunkBytes, random, peers, lanes = 1 } = options;
    const sizes = new Uint32Array(chunks).fill(chunkBytes);
    this.#copies = Array.from({ length: nodes + 1 }, () => new FirstCopies());
    // Number 0 is the seed.
    this.#schedules = Array.from(
      { length: nodes + 1 },
      () => new Schedule(sizes, new Uint8Array(chunks), undefined, random),
    );
    this.#has = Array.from({ length: nodes + 1 }, () => new Uint8Array(chunks));
    for (let to = 1; to <= nodes; to++) {
      for (let lane = 0; lane < lanes; lane++) this.#connect(SEED, to);
      const others = Array.from({ length: nodes }, (_, i) => i + 1).filter((node) => node !== to);
      for (let i = 0; i < Math.min(peers, nodes - 1); i++) {
        const [from] = others.splice(Math.floor(random() * others.length), 1) as [number];
        const link = this.#connect(from, to);
        this.#schedules[to]?.holds(link.source, new Uint8Array(chunks));
      }
    }
  }

  run(limitMs = 1_000_000): SwarmRun {
    const { nodes } = this.#options;
    for (; this.#doneMs.size < nodes; this.#nowMs += STEP_MS) {
      if (this.#nowMs > limitMs) throw new Error(`not done after ${limitMs} ms`);
      this.#spreadNews();
      if (this.#nowMs % TICK_MS === 0) for (const link of this.#links) this.#fill(link);
      for (let from = 0; from <= nodes; from++) this.#send(from);
    }
    const times = [...this.#doneMs.values()];
    return { firstMs: Math.min(...times), lastMs: Math.max(...times), seedBytes: this.#seedBytes };
  }

  #connect(from: number, to: number): Link {
    const source = this.#schedules[to]?.addSource(`${from}`) ?? 0;
    const link = { from, to, source, queue: [], isOpen: true };
    this.#links.push(link);
    return link;
  }

  #fill(link: Link): void {
    const schedule = this.#schedules[link.to] as Schedule;
    while (link.isOpen) {
      const ids = schedule.take(link.source, this.#nowMs);
      if (ids.length === 0) return;
      for (const id of ids) link.queue.push({ id, leftBytes: this.#options.chunkBytes });
    }
  }

  /** The sender shares its rate among all that it owes something. */
  #send(from: number): void {
    const { seedBytesPerSecond, nodeBytesPerSecond } = this.#options;
    const links = this.#links.filter((link) => link.from === from && link.isOpen);
    const owed = links.filter((link) => this.#nextOf(link) !== undefined);
    const rate = from === SEED ? seedBytesPerSecond : nodeBytesPerSecond;
    for (const link of owed) {
      for (let bytes = (rate * STEP_MS) / 1000 / owed.length; bytes > 0; ) {
        const next = this.#nextOf(link);
        if (next === undefined) break;
        const sent = Math.min(bytes, next.leftBytes);
        next.leftBytes -= sent;
        bytes -= sent;
        if (from === SEED) this.#seedBytes += sent;
        this.#copies[from]?.progressed(`${next.id}`, this.#schedules[link.to] as Schedule, this.#nowMs);
        if (next.leftBytes > 0) break;
        link.queue.shift();
        this.#arrived(link, next.id);
      }
    }
  }

  /** What the link sends next, after the sender said of all before it that it does not have them. */
  #nextOf(link: Link): Asked | undefined {
    const isSpreading = link.from !== SEED || this.#options.spreads !== false;
    for (;;) {
      const [next] = link.queue;
      const receiver = this.#schedules[link.to] as Schedule;
      if (next === undefined) return undefined;
      const isBegun = next.leftBytes < this.#options.chunkBytes;
      if (isBegun || !isSpreading) return next;
      if (this.#copies[link.from]?.begin(`${next.id}`, receiver, this.#nowMs)) return next;
      link.queue.shift();
      receiver.lacking(link.source, next.id, this.#nowMs + 1_000);
      receiver.givesWay(link.source);
      this.#fill(link);
    }
  }

  #arrived(link: Link, id: number): void {
    const schedule = this.#schedules[link.to] as Schedule;
    this.#copies[link.from]?.sent(`${id}`, schedule, this.#nowMs, this.#options.chunkBytes);
    schedule.arrived(link.source, id);
    const others = schedule.verified(link.source, id, this.#nowMs);
    for (const other of this.#links) {
      if (other.to !== link.to || !others.includes(other.source)) continue;
      const at = other.queue.findIndex((asked) => asked.id === id);
      if (at >= 0) other.queue.splice(at, 1);
      this.#copies[other.from]?.failed(`${id}`, schedule);
      this.#fill(other);
    }
    (this.#has[link.to] as Uint8Array)[id] = 1;
    this.#news.push({ atMs: this.#nowMs + this.#options.newsMs, node: link.to, id });
    if (schedule.allPresent) this.#doneMs.set(link.to, this.#nowMs);
    if (link.from === SEED) this.#maybeLeave(id);
    this.#fill(link);
  }

  #maybeLeave(id: number): void {
    this.#whole.add(id);
    if (this.#whole.size < (this.#options.seedLeavesAfter ?? Number.POSITIVE_INFINITY)) return;
    for (const link of this.#links) {
      if (link.from !== SEED || !link.isOpen) continue;
      link.isOpen = false;
      link.queue.length = 0;
      this.#schedules[link.to]?.drop(link.source);
    }
  }

  #spreadNews(): void {
    for (;;) {
      const [news] = this.#news;
      if (news === undefined || news.atMs > this.#nowMs) return;
      this.#news.shift();
      for (const link of this.#links) {
        if (link.from !== news.node) continue;
        this.#schedules[link.to]?.gained(link.source, [news.id]);
        this.#fill(link);
      }
    }
  }
}
