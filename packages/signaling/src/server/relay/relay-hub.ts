import { type Log, ModelRtcError } from '@model-rtc/protocol';
import type { WebSocket } from 'ws';
import { DEFAULT_RELAY_LIMITS, MIN_RELAY_BYTES_PER_SECOND, type RelayLimits } from '../../limits.ts';
import { type AttendeeId, type MeetingRefusal, MeetingTable } from './meeting-table.ts';
import { createRelayRate, type Meter, type RelayRate } from './relay-rate.ts';
import { RelaySocket } from './relay-socket.ts';

export interface RelayHubOptions {
  readonly limits: RelayLimits;
  /** A connection from which nothing came for so long is ended. */
  readonly staleMs: number;
  readonly log: Log;
  readonly nowMs: () => number;
}

/**
 * The relay of a server, with its limits checked.
 *
 * @returns undefined when it is off.
 * @throws ModelRtcError `bad_argument` for a rate at which no lane would live.
 */
export function createRelay(
  relay: 'off' | Partial<RelayLimits> | undefined,
  options: Omit<RelayHubOptions, 'limits'>,
): RelayHub | undefined {
  if (relay === 'off') return undefined;
  const limits = { ...DEFAULT_RELAY_LIMITS, ...relay };
  for (const rate of [limits.bytesPerSecondPerPair, limits.bytesPerSecond]) {
    if (rate === undefined || rate >= MIN_RELAY_BYTES_PER_SECOND) continue;
    throw new ModelRtcError(
      'bad_argument',
      `A relay of ${rate} bytes a second is too slow to keep a connection alive; allow at least ${MIN_RELAY_BYTES_PER_SECOND}, or switch it off.`,
    );
  }
  return new RelayHub({ ...options, limits });
}

interface Attendee {
  readonly side: RelaySocket;
  /** Undefined while it waits. */
  other: Attendee | undefined;
  meter: Meter;
}

/** Ties sockets to the meeting table, and the two of each meeting to each other: frames pass through untouched. */
export class RelayHub {
  readonly #options: RelayHubOptions;
  readonly #table: MeetingTable;
  readonly #rate: RelayRate;
  readonly #attendees = new Map<AttendeeId, Attendee>();
  #nextId: AttendeeId = 1;

  constructor(options: RelayHubOptions) {
    this.#options = options;
    this.#table = new MeetingTable(options.limits);
    this.#rate = createRelayRate(options.limits, options.nowMs);
  }

  get meetings(): number {
    return this.#table.size;
  }

  refusalFor(meeting: string, address: string): MeetingRefusal | undefined {
    return this.#table.refusalFor(meeting, address);
  }

  /** Takes one that `refusalFor` does not refuse. */
  add(socket: WebSocket, meeting: string, address: string): void {
    const { limits, staleMs, nowMs, log } = this.#options;
    const id = this.#nextId++;
    const waiting = setTimeout(() => this.#expire(id), limits.waitMs);
    const events = {
      frame: (data: Buffer) => this.#passOn(id, data),
      room: () => this.#attendees.get(id)?.other?.side.readOn(),
      violation: () => this.#attendees.get(id)?.side.end('malformed'),
      closed: () => {
        clearTimeout(waiting);
        this.#leave(id);
      },
    };
    const side = new RelaySocket({ socket, maxBufferedBytes: limits.maxBufferedBytes, staleMs, events, nowMs });
    this.#attendees.set(id, { side, other: undefined, meter: () => 0 });
    side.open();
    log.debug({ attendee: id, from: address }, 'came to the relay');
    const other = this.#table.come(id, meeting, address);
    if (other !== undefined) this.#join(id, other);
  }

  heartbeat(): void {
    for (const { side } of this.#attendees.values()) side.heartbeat();
  }

  shutDown(): void {
    for (const { side } of this.#attendees.values()) side.shutDown();
  }

  #join(id: AttendeeId, otherId: AttendeeId): void {
    const [one, other] = [this.#attendees.get(id), this.#attendees.get(otherId)];
    if (one === undefined || other === undefined) return;
    [one.other, other.other] = [other, one];
    one.meter = other.meter = this.#rate.meterPair();
    one.side.sayJoined();
    other.side.sayJoined();
    this.#options.log.debug({ attendees: [id, otherId] }, 'joined at the relay');
  }

  #passOn(id: AttendeeId, data: Buffer): void {
    const from = this.#attendees.get(id);
    // Keeping an early frame would spend memory on somebody who may never come.
    if (from?.other === undefined) from?.side.end('malformed');
    else pass(data, from, from.other);
  }

  #expire(id: AttendeeId): void {
    if (this.#table.isWaiting(id)) this.#attendees.get(id)?.side.end('timeout');
  }

  #leave(id: AttendeeId): void {
    this.#attendees.delete(id);
    const otherId = this.#table.leave(id);
    if (otherId === undefined) return;
    this.#options.log.debug({ attendees: [id, otherId] }, 'parted at the relay');
    const other = this.#attendees.get(otherId);
    if (other === undefined) return;
    other.other = undefined;
    other.side.end('peer_gone');
  }
}

/** Neither side is read faster than the other reads, nor than the rates allow. */
function pass(data: Buffer, from: Attendee, to: Attendee): void {
  to.side.pass(data);
  if (to.side.isFull) from.side.holdForReader();
  const waitMs = from.meter(data.length);
  if (waitMs > 0) from.side.holdForRate(waitMs);
}
