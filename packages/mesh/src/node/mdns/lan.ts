import { type Clock, type Log, silentLog, systemClock } from '@model-rtc/protocol';
import { SleepWatch } from '../sleep-watch.ts';
import { lanInterfaces } from './interfaces.ts';
import { openMulticastSocket } from './multicast-socket.ts';
import { announcementRecords, asksForService, sightingsIn } from './records.ts';
import type {
  LanAnnouncement,
  LanInterface,
  LanSighting,
  MdnsSocket,
  OpenMdnsSocket,
  ReceivedPacket,
} from './types.ts';

export interface OpenLanOptions {
  /** What this machine says of itself; asked each time that it is said. Empty for a machine that only looks. */
  readonly announcements: () => readonly LanAnnouncement[];
  /** Called for every node that is heard, again each time. */
  readonly onSighting: (sighting: LanSighting) => void;
  readonly log?: Log | undefined;
  readonly clock?: Clock | undefined;
  readonly openSocket?: OpenMdnsSocket | undefined;
  readonly interfaces?: (() => LanInterface[]) | undefined;
  /** From 0 to below 1: spreads answers, so that not all nodes speak in the same moment. */
  readonly random?: (() => number) | undefined;
}

/** Finding and being found on the local networks, without any server. */
export interface Lan {
  /** The interfaces in use, by name, and why those that do not work do not. */
  interfaces(): readonly { readonly name: string; readonly problem: string | undefined }[];
  /** Says again what this machine is, and asks who is there: for something that changed. */
  refresh(): void;
  /** Says goodbye and closes the sockets. */
  close(): void;
}

/** How often interfaces are looked at, so that a cable plugged in or a network joined is noticed. */
const LOOK_MS = 5_000;
/** When it is asked and said after a start or a change; then at the steady interval. */
const BURST_MS = [0, 1_000, 3_000, 8_000] as const;
/** Half of an announcement's life: a node that hears no answer in it is told by the next. */
const STEADY_MS = 60_000;
/** Answers are spread over this time. Source: RFC 6762, section 6. */
const ANSWER_FIRST_MS = 20;
const ANSWER_SPREAD_MS = 100;
/** All hear an answer, so many who ask at once get one. Source: RFC 6762, section 6. */
const SAY_AGAIN_MS = 1_000;

/** Announces this machine and looks for others on every local network, until it is closed. It comes back by itself when networks change. */
export function openLan(options: OpenLanOptions): Lan {
  return new MulticastLan(options);
}

interface OpenInterface {
  readonly on: LanInterface;
  readonly socket: MdnsSocket;
  problem: string | undefined;
}

class MulticastLan implements Lan {
  readonly #options: OpenLanOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #open = new Map<string, OpenInterface>();
  readonly #timers = new Set<() => void>();
  readonly #sleep: SleepWatch;
  #saidAtMs: number;
  /** When anybody last asked who is there: all hear the answers, so one question is enough for a network. */
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #isAnswering = false;

  constructor(options: OpenLanOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLog;
    this.#sleep = new SleepWatch(this.#clock);
    this.#saidAtMs = this.#clock.nowMs();
    this.#timers.add(this.#clock.every(LOOK_MS, () => this.#look()));
    this.#openNew();
    this.refresh();
  }

  interfaces(): readonly { readonly name: string; readonly problem: string | undefined }[] {
    return [...this.#open.values()].map(({ on, problem }) => ({ name: on.name, problem }));
  }

  refresh(): void {
    for (const delayMs of BURST_MS) {
      this.#after(delayMs, () => {
        this.#say();
        this.#ask();
      });
    }
  }

  close(): void {
    for (const stop of this.#timers) stop();
    this.#timers.clear();
    this.#say({ isLeaving: true });
    for (const { socket } of this.#open.values()) socket.close();
    this.#open.clear();
  }

  #look(): void {
    const nowMs = this.#clock.nowMs();
    // After a sleep the networks may have forgotten that this machine listens to the group.
    if (this.#sleep.hasSlept(LOOK_MS)) this.#closeWhere(() => true);
    if (this.#openNew()) this.refresh();
    else if (nowMs - this.#saidAtMs >= STEADY_MS) {
      this.#say();
      if (nowMs - this.#askedAtMs >= STEADY_MS) this.#ask();
    }
  }

  /** @returns whether there are new interfaces. */
  #openNew(): boolean {
    const { interfaces = lanInterfaces, openSocket = openMulticastSocket } = this.#options;
    const wanted = new Map(interfaces().map((on) => [on.id, on]));
    this.#closeWhere(({ on }) => !wanted.has(on.id));
    const before = this.#open.size;
    for (const on of [...wanted.values()].filter(({ id }) => !this.#open.has(id))) {
      const failed = (error: Error) => this.#failed(on, error);
      try {
        const socket = openSocket(on, { packet: (packet, sender) => this.#receive(packet, sender), failed });
        this.#open.set(on.id, { on, socket, problem: undefined });
      } catch (error) {
        failed(error as Error);
      }
    }
    return this.#open.size > before;
  }

  #closeWhere(isOver: (one: OpenInterface) => boolean): void {
    for (const [id, one] of this.#open) {
      if (!isOver(one)) continue;
      one.socket.close();
      this.#open.delete(id);
    }
  }

  /** A network without multicast, or a port that another program does not share: the other interfaces go on. */
  #failed(on: LanInterface, error: Error): void {
    const one = this.#open.get(on.id);
    if (one?.problem === error.message) return;
    if (one !== undefined) one.problem = error.message;
    this.#log.debug({ err: error, interface: on.name }, 'multicast DNS does not work on a network interface');
  }

  #receive(packet: ReceivedPacket, sender: string): void {
    if (packet.type === 'query') {
      if (asksForService(packet)) this.#answerSoon();
      return;
    }
    const own = new Set(this.#options.announcements().map(({ nodeHint }) => nodeHint));
    for (const sighting of sightingsIn(packet, sender)) {
      if (!own.has(sighting.nodeHint)) this.#options.onSighting(sighting);
    }
  }

  #answerSoon(): void {
    this.#askedAtMs = this.#clock.nowMs();
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    const againMs = this.#saidAtMs + SAY_AGAIN_MS - this.#askedAtMs;
    const spreadMs = (this.#options.random ?? Math.random)() * ANSWER_SPREAD_MS;
    this.#after(Math.max(ANSWER_FIRST_MS, againMs) + spreadMs, () => {
      this.#isAnswering = false;
      this.#say();
    });
  }

  #say({ isLeaving = false } = {}): void {
    this.#saidAtMs = this.#clock.nowMs();
    for (const { on, socket } of this.#open.values()) {
      // One packet for each, so that none grows beyond what a network takes at once.
      for (const announcement of this.#options.announcements()) {
        socket.send({ type: 'response', answers: announcementRecords(announcement, on.addresses, { isLeaving }) });
      }
    }
  }

  #ask(): void {
    for (const { socket } of this.#open.values()) socket.send({ type: 'query', answers: [] });
  }

  #after(delayMs: number, callback: () => void): void {
    const stop = this.#clock.after(delayMs, () => {
      this.#timers.delete(stop);
      callback();
    });
    this.#timers.add(stop);
  }
}
