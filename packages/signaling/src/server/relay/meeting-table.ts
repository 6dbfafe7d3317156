import { AddressCount } from '../address-count.ts';

/** A socket at the relay, for the life of the server. */
export type AttendeeId = number;

/** Why one may not come; answered in HTTP, before there is a WebSocket. */
export type MeetingRefusal = 'taken' | 'too_many' | 'full';

export interface MeetingBounds {
  readonly maxMeetings: number;
  readonly maxWaitingPerIp: number;
}

interface Meeting {
  readonly name: string;
  readonly first: Attendee;
  second: Attendee | undefined;
}

interface Attendee {
  readonly id: AttendeeId;
  readonly address: string;
}

/** The relay without its sockets: who waits for whom, and who was joined with whom. */
export class MeetingTable {
  readonly #bounds: MeetingBounds;
  readonly #meetings = new Map<string, Meeting>();
  readonly #attended = new Map<AttendeeId, Meeting>();
  readonly #waiting = new AddressCount();

  constructor(bounds: MeetingBounds) {
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#meetings.size;
  }

  /** @returns undefined for one who may come. */
  refusalFor(name: string, address: string): MeetingRefusal | undefined {
    const meeting = this.#meetings.get(name);
    if (meeting !== undefined) return meeting.second === undefined ? undefined : 'taken';
    if (this.#waiting.of(address) >= this.#bounds.maxWaitingPerIp) return 'too_many';
    return this.#meetings.size >= this.#bounds.maxMeetings ? 'full' : undefined;
  }

  /**
   * Takes one who may come.
   *
   * @returns the one who waited for it; undefined when it has to wait itself.
   */
  come(id: AttendeeId, name: string, address: string): AttendeeId | undefined {
    const meeting = this.#meetings.get(name);
    if (meeting === undefined) {
      const opened = { name, first: { id, address }, second: undefined };
      this.#meetings.set(name, opened);
      this.#attended.set(id, opened);
      this.#waiting.add(address);
      return undefined;
    }
    meeting.second = { id, address };
    this.#attended.set(id, meeting);
    this.#waiting.remove(meeting.first.address);
    return meeting.first.id;
  }

  isWaiting(id: AttendeeId): boolean {
    const meeting = this.#attended.get(id);
    return meeting !== undefined && meeting.second === undefined;
  }

  /** One is gone, and the meeting with it. @returns the other, who has to go as well. Told twice, the second time does nothing. */
  leave(id: AttendeeId): AttendeeId | undefined {
    const meeting = this.#attended.get(id);
    if (meeting === undefined) return undefined;
    const { first, second } = meeting;
    this.#meetings.delete(meeting.name);
    this.#attended.delete(first.id);
    if (second === undefined) {
      this.#waiting.remove(first.address);
      return undefined;
    }
    this.#attended.delete(second.id);
    return first.id === id ? second.id : first.id;
  }
}
