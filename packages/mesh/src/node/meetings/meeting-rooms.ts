import type { Clock } from '@model-rtc/protocol';
import type { MeetingRoom } from '../../core/index.ts';
import type { MeetingFound } from './ask-meeting.ts';
import type { OpenedMeetingRoom } from './open-meeting-room.ts';

export interface MeetingRoomsOptions {
  /** Of the latest epochs, the newest first. */
  readonly secrets: () => readonly Uint8Array[];
  readonly roomOf: (secret: Uint8Array) => MeetingRoom;
  /** The mesh's signaling servers. */
  readonly urls: readonly string[];
  readonly ownKey: string;
  readonly ask: (room: MeetingRoom, url: string, signal: AbortSignal) => Promise<MeetingFound>;
  /** Undefined for a process that leaves again: it asks only. */
  readonly open?: ((room: MeetingRoom, url: string) => OpenedMeetingRoom) | undefined;
  /** A member holds a room. */
  readonly onMet: (key: string) => void;
  /** Whether a member said that it is going. */
  readonly hasLeft: (key: string) => boolean;
  /** Whether this node has no word with any other member. */
  readonly isAlone: () => boolean;
  /** Members that are there, as far as is known: they look by turns. */
  readonly present: () => number;
  readonly clock: Clock;
  readonly random: () => number;
}

/** How often a node that is alone looks. */
const ALONE_MS = 5_000;
/** One that holds a room looks soon after it opened it: another may have opened it in the same moment. */
const OPENED_MS = 4_000;
const HOLDING_MS = 60_000;
/** All others look about once in this time, so that a room whose holder is gone gets another one. */
const TOGETHER_MS = 15_000;
const LONGEST_MS = 300_000;
/** Those who hear that a holder left look within this time, and one of them takes its room. */
const LEFT_MS = 2_000;
/** Members that start in one moment must not all come at once. */
const FIRST_MS = 3_000;

/**
 * Meeting rooms at the mesh's signaling servers: one member holds each, and tells those who know no other member that is there who it is. A
 * member that finds one empty takes it; two that hold the same notice it, and one leaves.
 */
export class MeetingRooms {
  readonly #options: MeetingRoomsOptions;
  /** By room and server. */
  readonly #held = new Map<string, OpenedMeetingRoom>();
  /** Members that hold rooms, as they said when this node last looked. */
  readonly #holders = new Map<string, string>();
  readonly #closing = new AbortController();
  #hasOpened = false;
  #stopTimer: () => void = () => {};

  constructor(options: MeetingRoomsOptions) {
    this.#options = options;
  }

  start(): void {
    const { urls, isAlone, present, random } = this.#options;
    if (urls.length === 0) return;
    this.#lookIn(isAlone() && present() <= 1 ? 0 : FIRST_MS * random());
  }

  /** There is news. When whoever holds a room has left, this node looks soon: newcomers find nobody there. */
  noticed(): void {
    for (const [name, key] of this.#holders) {
      if (!this.#options.hasLeft(key)) continue;
      this.#holders.delete(name);
      this.#lookIn(LEFT_MS * this.#options.random());
    }
  }

  close(): void {
    this.#closing.abort();
    this.#stopTimer();
    for (const room of this.#held.values()) room.close();
    this.#held.clear();
  }

  #lookIn(waitMs: number): void {
    this.#stopTimer();
    if (this.#closing.signal.aborted) return;
    this.#stopTimer = this.#options.clock.after(waitMs, () => {
      void this.#look().finally(() => this.#lookIn(this.#pauseMs()));
    });
  }

  async #look(): Promise<void> {
    this.#hasOpened = false;
    const { secrets, roomOf, urls } = this.#options;
    const rooms = secrets().map(roomOf);
    const names = rooms.flatMap((room) => urls.map((url) => nameOf(room, url)));
    for (const name of this.#held.keys()) if (!names.includes(name)) this.#leave(name);
    await Promise.all(rooms.flatMap((room) => urls.map((url) => this.#lookAt(room, url))));
  }

  async #lookAt(room: MeetingRoom, url: string): Promise<void> {
    const { ask, open, ownKey, onMet } = this.#options;
    const name = nameOf(room, url);
    if (this.#held.get(name)?.isOpen() === false) this.#leave(name);
    const found = await ask(room, url, this.#closing.signal);
    if (this.#closing.signal.aborted) return;
    this.#holders.delete(name);
    if (found.kind === 'holder' && found.key !== ownKey) {
      this.#holders.set(name, found.key);
      this.#leave(name);
      onMet(found.key);
    }
    if (found.kind !== 'free' || open === undefined || this.#held.has(name)) return;
    this.#held.set(name, open(room, url));
    this.#hasOpened = true;
  }

  #leave(name: string): void {
    this.#held.get(name)?.close();
    this.#held.delete(name);
  }

  #pauseMs(): number {
    const { isAlone, present, random } = this.#options;
    const spread = 0.5 + random();
    if (this.#hasOpened) return OPENED_MS * spread;
    if (this.#held.size > 0) return HOLDING_MS * spread;
    return (isAlone() ? ALONE_MS : Math.min(LONGEST_MS, TOGETHER_MS * present())) * spread;
  }
}

function nameOf({ instance }: MeetingRoom, url: string): string {
  return `${instance} ${url}`;
}
