import { type Clock, type Log, ModelRtcError } from '@model-rtc/protocol';
import { rankOf } from '../peer/links.ts';
import type { Peer, PeerLane } from '../peer/peer.ts';
import type { AttemptKind, AttemptLane, AttemptOptions, CpuLoad } from './components.ts';
import { LaneGrowth } from './lane-growth.ts';
import { LANE_GROWTH } from './lane-growth-settings.ts';
import { LANE_ATTEMPT_MS, OVERLAP_MS, UPGRADE_AFTER_MS } from './limits.ts';
import { manyListeners } from './many-listeners.ts';
import { PathMtu } from './path-mtu.ts';

export interface LaneUpkeepOptions extends Omit<AttemptOptions, 'signal' | 'timeoutMs'> {
  readonly peer: Peer;
  /** The kinds that may be used, the better first. */
  readonly kinds: readonly AttemptKind[];
  readonly clock: Clock;
  readonly log: Log;
  readonly cpu: CpuLoad;
  /** How a lane is brought up. */
  readonly attempt: AttemptLane;
}

/** How often to look, and for how long, until bulk data flows: what a long path begins with is opened at once. */
const FIRST_LOOKS_MS = 100;
const FIRST_LOOKS_FOR_MS = 3_000;
/** A peer that carried less than this since the last look has nothing to carry. */
const BUSY_BYTES_PER_SAMPLE = 64 * 1024;
const MAX_LANES_OF: Record<AttemptKind, number> = { direct: 16, webrtc: 32, relay: 1 };
/** One TLS connection that carries this fills a gigabit link by half: it is not what losses hold up. */
const ENOUGH_OF: Partial<Record<AttemptKind, number>> = { direct: 64e6 };
/** On a path with round trips this long one association rarely carries what the path could: it begins with a few. */
const LONG_PATH_MS = 15;
const FIRST_ON_LONG_PATH = 16;
/** Up to so many lanes with smaller packets are replaced by one that sends larger ones. */
const FEW_SMALLER = 2;
/** werift is pure JavaScript: more of its connections than this only share one processor. */
const MAX_WERIFT_LANES = 8;
/** The engine of this side's lanes, and the capability of a worker that has it. */
export const WERIFT = 'werift';

/**
 * Keeps a peer on the best lanes that there are, as the side that connected: opens more of the kind in use while that
 * makes it faster, tries the better kinds again now and then, and lets go of the worse ones.
 */
export class LaneUpkeep {
  readonly #options: LaneUpkeepOptions;
  /** Every attempt listens, and there may be many. */
  readonly #over = manyListeners(new AbortController());
  readonly #cpu: CpuLoad;
  readonly #growth = new Map<AttemptKind, LaneGrowth>();
  readonly #pathMtu: PathMtu;
  /** The size of the packets of each webrtc lane whose are larger than the engine's own, in bytes, by the lane's id. */
  readonly #mtus = new Map<number, number>();
  /** What each lane has carried so far, those that are gone included. */
  readonly #seen = new Map<number, number>();
  /** Of all lanes so far: what is measured later is of data on its way as well. */
  #leastRttMs = Number.POSITIVE_INFINITY;
  /** How many lanes are coming up, by the size of their packets. */
  readonly #opening = new Map<number | undefined, number>();
  /** What was carried when it was last looked for LANE_GROWTH.sampleMs, or enough was. */
  #lastBytes = 0;
  #lastMs: number;
  readonly #startedMs: number;
  #upgrades = 0;
  #nextUpgradeMs: number;
  #overlapSinceMs: number | undefined;
  #stopTimer: () => void = () => {};

  constructor(options: LaneUpkeepOptions) {
    this.#options = options;
    this.#cpu = options.cpu;
    this.#pathMtu = new PathMtu({
      open: (mtu) => this.#open('webrtc', mtu),
      nowMs: () => options.clock.nowMs(),
    });
    this.#startedMs = options.clock.nowMs();
    this.#lastMs = this.#startedMs;
    this.#nextUpgradeMs = this.#startedMs + UPGRADE_AFTER_MS[0];
    void options.peer.closed.then(() => this.#stop());
    this.#arm();
  }

  #stop(): void {
    this.#stopTimer();
    this.#over.abort(new ModelRtcError('cancelled', 'The connection is over.'));
  }

  #arm(): void {
    const isNew = this.#options.clock.nowMs() - this.#startedMs < FIRST_LOOKS_FOR_MS;
    const afterMs = isNew && this.#growth.size === 0 ? FIRST_LOOKS_MS : LANE_GROWTH.sampleMs;
    this.#stopTimer = this.#options.clock.after(afterMs, () => {
      this.#look();
      this.#arm();
    });
  }

  #look(): void {
    const lanes = this.#options.peer.openLanes();
    const kind = lanes[0]?.kind;
    if (kind === undefined || kind === 'memory') return;
    const bytes = this.#carried(lanes);
    const busy = this.#note(bytes);
    // To ask the system takes milliseconds where there are many processors; an idle peer has no use for it.
    const cpuBound = busy && this.#cpu.isBound();
    this.#dropWorse(lanes);
    if (busy) this.#upgrade(kind);
    const alike = lanes.filter((lane) => lane.kind === kind);
    if (kind === 'webrtc') {
      // Over a long path they take about as long as a plan of the transfer and its first chunks.
      if (busy || (this.#isLong && this.#options.peer.isBulkExpected)) this.#tryLargerPackets(lanes);
      // How many lanes are best depends on what each carries.
      if (this.#replaceSmaller(alike) || this.#pathMtu.isUndecided) return;
    }
    this.#grow(kind, { lanes: alike, bytes, busy, cpuBound });
  }

  /** Takes note of what was carried so far. @returns whether bulk data flows */
  #note(bytes: number): boolean {
    const nowMs = this.#options.clock.nowMs();
    const busy = bytes - this.#lastBytes >= BUSY_BYTES_PER_SAMPLE;
    if (!busy && nowMs - this.#lastMs < LANE_GROWTH.sampleMs) return false;
    this.#lastBytes = bytes;
    this.#lastMs = nowMs;
    return busy;
  }

  #carried(lanes: readonly PeerLane[]): number {
    for (const lane of lanes) {
      const { sentBytes, receivedBytes, rttMs = Number.POSITIVE_INFINITY } = lane.info();
      this.#leastRttMs = Math.min(this.#leastRttMs, rttMs);
      this.#seen.set(lane.id, sentBytes + receivedBytes);
    }
    let total = 0;
    for (const bytes of this.#seen.values()) total += bytes;
    return total;
  }

  #grow(
    kind: AttemptKind,
    { lanes, ...sample }: { lanes: readonly PeerLane[]; bytes: number; busy: boolean; cpuBound: boolean },
  ): void {
    if (!sample.busy && !this.#growth.has(kind)) return;
    const growth = this.#growth.get(kind) ?? this.#startGrowth(kind, lanes);
    const advice = growth.sample({ lanes: lanes.length, ...sample });
    if (advice === undefined) return;
    this.#options.log.debug({ kind, lanes: lanes.length, ...advice }, 'the number of connections changes');
    if ('open' in advice) {
      // Those that still come up count, and the other side takes so many at once.
      const open = Math.min(advice.open, LANE_GROWTH.maxOpeningAtOnce) - this.#comingUp;
      for (let i = 0; i < open; i += 1) void this.#openFurther(kind);
    } else for (const lane of lanes.slice(-advice.close)) void lane.close();
  }

  #startGrowth(kind: AttemptKind, lanes: readonly PeerLane[]): LaneGrowth {
    const { clock } = this.#options;
    const max = this.#mostOf(kind, lanes);
    const first = kind === 'webrtc' && this.#isLong ? FIRST_ON_LONG_PATH : 1;
    const growth = new LaneGrowth({ max, enough: ENOUGH_OF[kind], first, nowMs: () => clock.nowMs() });
    this.#growth.set(kind, growth);
    return growth;
  }

  #mostOf(kind: AttemptKind, lanes: readonly PeerLane[]): number {
    return kind === 'webrtc' && this.#weriftSides(lanes) > 0 ? MAX_WERIFT_LANES : MAX_LANES_OF[kind];
  }

  /** How many of the two sides run on werift. */
  #weriftSides(lanes: readonly PeerLane[]): number {
    const isOurs = lanes.some(({ engine }) => engine === WERIFT);
    const isTheirs = this.#options.peer.remote.capabilities.includes(WERIFT);
    return Number(isOurs) + Number(isTheirs);
  }

  get #isLong(): boolean {
    return this.#leastRttMs >= LONG_PATH_MS && Number.isFinite(this.#leastRttMs);
  }

  /** Of two sides on werift, none could send them. */
  #tryLargerPackets(lanes: readonly PeerLane[]): void {
    if (this.#weriftSides(lanes) === 2) return;
    const first = Math.min(FIRST_ON_LONG_PATH, this.#mostOf('webrtc', lanes));
    this.#pathMtu.try(this.#isLong ? first : undefined);
  }

  /**
   * Lets one with larger packets take the place of the few lanes with smaller ones. Many stay: to open as many again costs more than
   * their packets do. So does one over which others are being agreed on, as what is said of them would go with it.
   *
   * @returns whether there are any to replace
   */
  #replaceSmaller(lanes: readonly PeerLane[]): boolean {
    const mtu = this.#pathMtu.current;
    if (mtu === undefined || this.#comingUp > 0) return false;
    const smaller = lanes.filter(({ id }) => (this.#mtus.get(id) ?? 0) < mtu);
    if (smaller.length === 0 || smaller.length > FEW_SMALLER) return false;
    // A pong shows that the other side has it among its lanes: it would take the end of its only one for the end of the peer.
    const isAnswered = lanes.some(({ id, info }) => this.#mtus.get(id) === mtu && info().rttMs !== undefined);
    if (isAnswered) for (const lane of smaller) void lane.close();
    return true;
  }

  /** A better kind may be reachable by now: the network changed, or a packet of the first attempt was lost. */
  #upgrade(kind: AttemptKind): void {
    const { kinds, clock } = this.#options;
    const better = kinds.filter((other) => rankOf(other) < rankOf(kind));
    if (better.length === 0 || clock.nowMs() < this.#nextUpgradeMs) return;
    this.#upgrades += 1;
    const afterMs = UPGRADE_AFTER_MS[Math.min(this.#upgrades, UPGRADE_AFTER_MS.length - 1)] as number;
    this.#nextUpgradeMs = clock.nowMs() + afterMs;
    for (const other of better) void this.#openFurther(other);
  }

  /** Further lanes that are on their way. Those with larger packets than pass never come. */
  get #comingUp(): number {
    return this.#opening.get(this.#pathMtu.current) ?? 0;
  }

  async #openFurther(kind: AttemptKind): Promise<void> {
    await this.#open(kind, kind === 'webrtc' ? this.#pathMtu.current : undefined);
  }

  /** One that does not come up is no loss: what is there goes on. @returns undefined then */
  async #open(kind: AttemptKind, mtu: number | undefined): Promise<PeerLane | undefined> {
    const { peer, log, attempt } = this.#options;
    const count = (by: number) => this.#opening.set(mtu, (this.#opening.get(mtu) ?? 0) + by);
    count(1);
    try {
      const { signal } = this.#over;
      const lane = await attempt(kind, { ...this.#options, mtu, timeoutMs: LANE_ATTEMPT_MS, signal });
      const added = await peer.addLane(lane);
      if (mtu !== undefined) {
        this.#mtus.set(added.id, mtu);
        void added.closed.then((why) => why !== undefined && this.#pathMtu.distrust());
      }
      log.debug({ kind, mtu }, 'a further connection is up');
      return added;
    } catch (error) {
      log.debug({ kind, mtu, reason: ModelRtcError.from(error).message }, 'a further connection did not come up');
      return undefined;
    } finally {
      count(-1);
    }
  }

  /** Once the better ones have had the time to show that they carry something. */
  #dropWorse(lanes: readonly PeerLane[]): void {
    const { clock } = this.#options;
    const best = rankOf(lanes[0]?.kind ?? 'memory');
    const worse = lanes.filter(({ kind }) => rankOf(kind) > best);
    if (worse.length === 0) {
      this.#overlapSinceMs = undefined;
      return;
    }
    this.#overlapSinceMs ??= clock.nowMs();
    if (clock.nowMs() - this.#overlapSinceMs < OVERLAP_MS) return;
    for (const lane of worse) void lane.close();
  }
}
