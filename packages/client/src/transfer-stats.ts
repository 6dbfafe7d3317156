import { type Clock, type PushEvent, systemClock } from '@model-rtc/protocol';
import { inProportion, type LaneBytes, RateMeter, type StallWarning, Watchdog } from '@model-rtc/transfer';
import type { LaneInfo } from '@model-rtc/transport';

/** The figures of a finished transfer. */
export interface TransferReport {
  /**
   * Bytes of the model that this command sent over the network, over all its connections; each counts once. With the reused and
   * resumed ones they are the size of the model.
   */
  readonly transferredBytes: number;
  /**
   * Bytes that crossed the network in vain and are in no other count: asked for twice, wrong, fetched again, or of a content that
   * changed meanwhile. Of a push only the last, since the worker does not tell the others.
   */
  readonly wastedBytes: number;
  /** Bytes that the receiver's disk had already in other models, and bytes that the model has more than once. */
  readonly reusedBytes: number;
  /** Bytes that an earlier attempt had fetched. */
  readonly resumedBytes: number;
  readonly seconds: number;
  readonly bytesPerSecond: number;
  readonly lanes: readonly LaneInfo[];
  /** Milliseconds of `performance.now()`, so counted from the start of the process; undefined when nothing was transferred. */
  readonly firstChunkMs: number | undefined;
}

/** The progress of a transfer that the other side runs. */
export interface RemoteProgress extends Omit<PushEvent, 'type'> {
  readonly transferredBytes: number;
  readonly bytesPerSecond: number;
  readonly secondsLeft: number | undefined;
  /** What this side sent over each connection, for whatever purpose. */
  readonly lanes: readonly LaneBytes[];
  /** Set after 30 s in which nothing arrived there. */
  readonly warning?: StallWarning | undefined;
}

type Bytes = Pick<TransferReport, 'transferredBytes' | 'reusedBytes' | 'resumedBytes'>;
type Counts = Bytes & Pick<RemoteProgress, 'state' | 'doneBytes'> & Partial<Pick<TransferReport, 'wastedBytes'>>;

/**
 * Follows one command's transfer over all its connections. The receiver counts anew with each connection, and calls
 * resumed what the ones before brought; here that is told apart from what an earlier command had fetched.
 */
export class TransferStats {
  /** Measures how long nothing came, over all connections. */
  readonly watchdog: Watchdog;
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #rate: RateMeter;
  readonly #laneRates: LaneRates;
  #doneBytes = 0;
  #state = '';
  /** When the receiver last reported anything new. */
  #movedMs = 0;
  #firstChunkMs: number | undefined;
  /** What an earlier command had fetched. */
  #resumedAtStart: number | undefined;
  /** Reused over the connections before this one, and over this one so far. */
  #reusedBefore = 0;
  #reusedNow = 0;
  /** Wasted over the connections before this one, and over this one so far. */
  #wastedBefore = 0;
  #wastedNow = 0;
  /** Bytes of a content that the model no longer has. */
  #outdatedBytes = 0;

  /** @param giveUpMs - the longest that it waits for anything to come, in milliseconds; 2 min when left out */
  constructor(clock: Clock = systemClock, giveUpMs?: number | undefined) {
    this.#clock = clock;
    this.watchdog = new Watchdog(clock, giveUpMs);
    this.#startedMs = clock.nowMs();
    this.#rate = new RateMeter(this.#startedMs);
    this.#laneRates = new LaneRates(clock);
  }

  /** Whether this command has fetched anything yet. */
  get hasFetched(): boolean {
    return this.#firstChunkMs !== undefined;
  }

  /** A connection's transfer begins: the receiver counts from the start again. */
  begin(): void {
    this.#reusedBefore += this.#reusedNow;
    this.#reusedNow = 0;
    this.#wastedBefore += this.#wastedNow;
    this.#wastedNow = 0;
    this.#laneRates.startOver();
  }

  /** The model changed at its source: another content is fetched from now on. */
  startOver(): void {
    this.begin();
    this.#outdatedBytes = this.#fetched(this.#doneBytes);
    this.#resumedAtStart = undefined;
    this.#reusedBefore = 0;
    this.#doneBytes = 0;
  }

  note({ state, doneBytes, transferredBytes, reusedBytes, resumedBytes, wastedBytes = 0 }: Counts): void {
    this.#wastedNow = wastedBytes;
    if (transferredBytes > 0) this.#firstChunkMs ??= this.#clock.nowMs();
    if (state !== 'preparing') this.#resumedAtStart ??= resumedBytes;
    this.#reusedNow = reusedBytes;
    if (state !== this.#state || doneBytes !== this.#doneBytes) this.#movedMs = this.#clock.nowMs();
    this.#state = state;
    if (doneBytes === this.#doneBytes) return;
    this.#doneBytes = doneBytes;
    this.watchdog.progressed();
  }

  /** Takes the receiver's progress of a push, and adds rates, the time left, and a warning when it stalls. */
  noteRemote({ type: _, ...event }: PushEvent, lanes: readonly LaneInfo[], name: string): RemoteProgress {
    const transferredBytes = Math.max(0, event.doneBytes - event.reusedBytes - event.resumedBytes);
    this.note({ ...event, transferredBytes });
    const bytesPerSecond = this.#rate.bytesPerSecond(this.#fetched(event.doneBytes), this.#clock.nowMs());
    const left = event.totalBytes - event.doneBytes;
    const secondsLeft = bytesPerSecond > 0 ? Math.ceil(left / bytesPerSecond) : undefined;
    const rates = {
      bytesPerSecond,
      secondsLeft,
      lanes: inProportion(this.#laneRates.sent(lanes, name), bytesPerSecond),
    };
    const quietMs = this.#clock.nowMs() - this.#movedMs;
    const warning = event.state === 'transferring' ? stallWarning(quietMs, this.watchdog.giveUpMs) : undefined;
    return { ...event, transferredBytes, ...rates, warning };
  }

  /** @param bytes - as the receiver counted them over the last connection. */
  report(lanes: readonly LaneInfo[], bytes: Bytes): TransferReport {
    const seconds = (this.#clock.nowMs() - this.#startedMs) / 1000;
    const resumedBytes = Math.min(bytes.resumedBytes, this.#resumedAtStart ?? bytes.resumedBytes);
    const earlier = bytes.resumedBytes - resumedBytes;
    const reusedEarlier = Math.min(this.#reusedBefore, earlier);
    const transferredBytes = bytes.transferredBytes + earlier - reusedEarlier;
    const wastedBytes = this.#outdatedBytes + this.#wastedBefore + this.#wastedNow;
    return {
      transferredBytes,
      wastedBytes,
      reusedBytes: bytes.reusedBytes + reusedEarlier,
      resumedBytes,
      seconds,
      bytesPerSecond: seconds > 0 ? (transferredBytes + wastedBytes) / seconds : 0,
      lanes: [...lanes],
      firstChunkMs: this.#firstChunkMs,
    };
  }

  /** What this command has fetched when the receiver has so many bytes. */
  #fetched(doneBytes: number): number {
    const others = this.#reusedBefore + this.#reusedNow + (this.#resumedAtStart ?? 0);
    return this.#outdatedBytes + Math.max(0, doneBytes - others);
  }
}

/** A push without progress for this long gets a warning. A pull warns by itself. */
const WARN_AFTER_MS = 30_000;

/** The warning of a push that stalls. */
function stallWarning(quietMs: number, giveUpMs: number): StallWarning | undefined {
  if (quietMs < WARN_AFTER_MS) return undefined;
  const message = `Nothing arrived at the worker for ${Math.round(quietMs / 1000)} s. The transfer ends after ${giveUpMs / 1000} s.`;
  return { kind: 'stalled', quietMs, message };
}

/** How fast each of a peer's lanes sends, as their counters grow. */
class LaneRates {
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** By id, kind and engine, which identify a lane of one connection. */
  readonly #meters = new Map<string, RateMeter>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** Starts again for a new connection, which numbers its lanes from the start. */
  startOver(): void {
    this.#meters.clear();
  }

  /** @param source - what the agent at the other end is called. */
  sent(lanes: readonly LaneInfo[], source: string): LaneBytes[] {
    const nowMs = this.#clock.nowMs();
    const names = lanes.map(({ id, kind, engine }) => `${id} ${kind} ${engine}`);
    for (const name of this.#meters.keys()) if (!names.includes(name)) this.#meters.delete(name);
    return lanes.map(({ id, kind, engine, sentBytes: bytes }, i) => {
      const name = names[i] as string;
      const meter = this.#meters.get(name) ?? new RateMeter(nowMs);
      this.#meters.set(name, meter);
      return { source, id, kind, engine, bytes, bytesPerSecond: meter.bytesPerSecond(bytes, nowMs) };
    });
  }
}
