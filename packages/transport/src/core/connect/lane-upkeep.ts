import { type Clock, type Log, ModelRtcError } from '@model-rtc/protocol';
import { rankOf } from '../peer/links.ts';
import type { Peer, PeerLane } from '../peer/peer.ts';
import type { AttemptKind, AttemptLane, AttemptOptions, CpuLoad } from './components.ts';
import { LaneGrowth } from './lane-growth.ts';
import { LANE_GROWTH } from './lane-growth-settings.ts';
import type { LaneShare } from './lane-share.ts';
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
  /** What the peer may have of the connections of all peers; as many as the kind allows when left out. */
  readonly share?: LaneShare | undefined;
  /** Opens a lane. */
  readonly attempt: AttemptLane;
}

/** How often and how long to look for bulk data at first, so that a long path gets its first lanes at once. */
const FIRST_LOOKS_MS = 100;
const FIRST_LOOKS_FOR_MS = 3_000;
/** A peer that carried less than this since the last look is idle. */
const BUSY_BYTES_PER_SAMPLE = 64 * 1024;
const MAX_LANES_OF: Record<AttemptKind, number> = { direct: 16, webrtc: 32, relay: 1 };
/** One TLS connection that carries this fills half a gigabit link: losses do not slow it. */
const ENOUGH_OF: Partial<Record<AttemptKind, number>> = { direct: 64e6 };
/**
 * With shorter round trips, TCP carries 2 MB/s even where 3 % of the packets are lost. A slower direct lane is as fast as the other side sends: to many at once, or
 * below a limit.
 */
const SHORT_PATH_MS = 5;
/** With round trips this long, one association rarely fills the path, so start with several. */
const LONG_PATH_MS = 15;
const FIRST_ON_LONG_PATH = 16;
/** Replace at most this many lanes with smaller packets by one with larger packets. */
const FEW_SMALLER = 2;
/** werift is pure JavaScript: more connections than this only share one processor. */
const MAX_WERIFT_LANES = 8;
/** The engine's name, which is also the capability that a worker with it announces. */
export const WERIFT = 'werift';

/**
 * Keeps a peer on the best lanes, as the side that connected: opens more lanes of the kind in use while that
 * makes it faster, retries better kinds from time to time, and closes worse ones.
 */
export class LaneUpkeep {
  readonly #options: LaneUpkeepOptions;
  /** Every attempt listens, and there may be many. */
  readonly #over = manyListeners(new AbortController());
  readonly #cpu: CpuLoad;
  readonly #growth = new Map<AttemptKind, LaneGrowth>();
  readonly #pathMtu: PathMtu;
  /** By lane id, the packet size in bytes of webrtc lanes that send larger packets than their engine's default. */
  readonly #mtus = new Map<number, number>();
  /** What each lane has carried so far, closed lanes included. */
  readonly #seen = new Map<number, number>();
  /** The least of all lanes so far: later measurements include queued data. */
  #leastRttMs = Number.POSITIVE_INFINITY;
  /** How many lanes are coming up, by the size of their packets. */
  readonly #opening = new Map<number | undefined, number>();
  /** What had been carried at the last sample. */
  #lastBytes = 0;
  #lastMs: number;
  readonly #startedMs: number;
  #upgrades = 0;
  #nextUpgradeMs: number;
  #overlapSinceMs: number | undefined;
  #stopTimer: () => void = () => {};
  readonly #leaveShare: () => void;

  constructor(options: LaneUpkeepOptions) {
    this.#options = options;
    this.#cpu = options.cpu;
    this.#leaveShare = options.share?.join() ?? (() => {});
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
    this.#leaveShare();
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
    // Asking the system takes milliseconds on machines with many processors, so do not ask for an idle peer.
    const cpuBound = busy && this.#cpu.isBound();
    this.#dropWorse(lanes);
    if (busy) this.#upgrade(kind);
    const alike = lanes.filter((lane) => lane.kind === kind);
    if (kind === 'webrtc') {
      // Over a long path this takes about as long as planning a transfer and fetching its first chunks.
      if (busy || (this.#isLong && this.#options.peer.isBulkExpected)) this.#tryLargerPackets(lanes);
      // The best number of lanes depends on what each carries.
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
    growth.max = this.#mostOf(kind, lanes);
    const isShort = kind === 'direct' && this.#leastRttMs < SHORT_PATH_MS;
    const advice = growth.sample({ lanes: lanes.length, isShort, ...sample });
    if (advice === undefined) return;
    this.#options.log.debug({ kind, lanes: lanes.length, ...advice }, 'the number of connections changes');
    if ('open' in advice) {
      // Lanes that are still opening count, and the other side opens only this many at once.
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
    const most = kind === 'webrtc' && this.#weriftSides(lanes) > 0 ? MAX_WERIFT_LANES : MAX_LANES_OF[kind];
    return Math.min(most, this.#options.share?.each ?? most);
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

  /** With werift on both sides, neither could send them. */
  #tryLargerPackets(lanes: readonly PeerLane[]): void {
    if (this.#weriftSides(lanes) === 2) return;
    const first = Math.min(FIRST_ON_LONG_PATH, this.#mostOf('webrtc', lanes));
    this.#pathMtu.try(this.#isLong ? first : undefined);
  }

  /**
   * Replaces a few lanes with smaller packets by one with larger packets. Many such lanes stay: opening as many again costs more than
   * their packets do. A lane over which others are being set up stays too, since their messages would be lost with it.
   *
   * @returns whether there are any to replace
   */
  #replaceSmaller(lanes: readonly PeerLane[]): boolean {
    const mtu = this.#pathMtu.current;
    if (mtu === undefined || this.#comingUp > 0) return false;
    const smaller = lanes.filter(({ id }) => (this.#mtus.get(id) ?? 0) < mtu);
    if (smaller.length === 0 || smaller.length > FEW_SMALLER) return false;
    // A pong shows that the other side has added the lane. Before, it would take the end of its only lane for the end of the peer.
    const isAnswered = lanes.some(({ id, info }) => this.#mtus.get(id) === mtu && info().rttMs !== undefined);
    if (isAnswered) for (const lane of smaller) void lane.close();
    return true;
  }

  /** Retries better kinds: the network may have changed, or the first attempt lost a packet. */
  #upgrade(kind: AttemptKind): void {
    const { kinds, clock } = this.#options;
    const better = kinds.filter((other) => rankOf(other) < rankOf(kind));
    if (better.length === 0 || clock.nowMs() < this.#nextUpgradeMs) return;
    this.#upgrades += 1;
    const afterMs = UPGRADE_AFTER_MS[Math.min(this.#upgrades, UPGRADE_AFTER_MS.length - 1)] as number;
    this.#nextUpgradeMs = clock.nowMs() + afterMs;
    for (const other of better) void this.#openFurther(other);
  }

  /** Lanes that are opening, without attempts at larger packets, which may never open. */
  get #comingUp(): number {
    return this.#opening.get(this.#pathMtu.current) ?? 0;
  }

  async #openFurther(kind: AttemptKind): Promise<void> {
    await this.#open(kind, kind === 'webrtc' ? this.#pathMtu.current : undefined);
  }

  /** Opens a lane; the others go on if it does not open. @returns undefined then */
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

  /** Closes worse lanes once the better ones had time to prove themselves. */
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
