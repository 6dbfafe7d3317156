import type { Clock } from '@model-rtc/protocol';
import type { LanSighting } from '../mdns/types.ts';
import type { MeshSessions } from '../sessions.ts';
import type { MeshView } from '../view.ts';
import { type AddressBook, hostOf } from './address-book.ts';
import { LostMembers } from './lost-members.ts';
import { chooseNeighbours } from './neighbours.ts';
import { Strangers } from './strangers.ts';

export interface NeighbourhoodOptions {
  readonly view: Pick<MeshView, 'members' | 'scopesOf' | 'aliveAtMs'>;
  readonly ownKey: string;
  /** Members to reach first, as the invite named them. */
  readonly contacts: readonly { readonly key: string }[];
  readonly sessions: Pick<MeshSessions, 'lanHint'>;
  readonly addresses: Pick<AddressBook, 'recognise'>;
  readonly urlsOf: (key: string) => readonly string[];
  /** Told with whom there should be connections from now on. */
  readonly want: (keys: readonly string[]) => void;
  readonly isLinked: (key: string) => boolean;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** The date: milliseconds since 1970. */
  readonly wallMs: () => number;
  readonly random: () => number;
}

/** How long a node that was told that it is no member asks nobody. */
const REST_MS = 5 * 60_000;
/** How long a member that could not be reached is tried only where nobody else is there. */
const DOUBTFUL_MS = 120_000;
/** Members that were found in a meeting room, and how long a connection with them is wanted besides those with neighbours. */
const MAX_MET = 4;
const MET_MS = 600_000;

/** With which members this node keeps connections. */
export class Neighbourhood {
  readonly #options: NeighbourhoodOptions;
  /** Members that could not be reached, and when that was. */
  readonly #failedAtMs = new Map<string, number>();
  readonly #metAtMs = new Map<string, number>();
  readonly #lost: LostMembers;
  readonly #strangers: Strangers;
  #restUntilMs = 0;
  /** Neighbours that let this node in when they were asked last. */
  readonly #reached = new Set<string>();
  #neighbours: readonly string[] = [];

  constructor(options: NeighbourhoodOptions) {
    this.#options = options;
    this.#lost = new LostMembers({
      ...options,
      aliveAtMs: (key) => options.view.aliveAtMs(key),
      failedAtMs: (key) => this.#failedAtMs.get(key),
    });
    this.#strangers = new Strangers({ ...options, isMember: (key) => options.view.scopesOf(key) !== undefined });
  }

  /** A node of this mesh was heard on a local network, or said goodbye there. It need not be a member. */
  heard(key: string, { urls: [url = ''], isLeaving }: Pick<LanSighting, 'urls' | 'isLeaving'>): void {
    if (isLeaving) this.#strangers.left(key);
    else this.#strangers.heard(key, hostOf(url));
  }

  /** A node holds a meeting room, which need not be a member. */
  met(key: string): void {
    this.#metAtMs.delete(key);
    this.#metAtMs.set(key, this.#options.clock.nowMs());
    const [oldest] = this.#metAtMs.keys();
    if (this.#metAtMs.size > MAX_MET && oldest !== undefined) this.#metAtMs.delete(oldest);
  }

  /** A member was heard on a local network: it is tried even where there are neighbours enough, if it was lost. */
  sighted(key: string): void {
    this.#lost.heardNear(key);
    this.look();
  }

  /** Members; while nobody else is known, those that the invite named, and those that were heard nearby. */
  candidates(): string[] {
    const members = this.#options.view.members().map(({ key }) => key);
    return [...new Set([...members, ...(this.#knowsNobody ? this.#strangers.all() : [])])];
  }

  /** Whether it matters what the node says: who knows a member need not believe others, except those that hold a meeting room. */
  counts(key: string): boolean {
    return this.#knowsNobody || this.#metAtMs.has(key) || this.#options.view.scopesOf(key) !== undefined;
  }

  /** Chooses anew. */
  look(): void {
    const { ownKey, sessions, addresses, urlsOf, want, clock, random } = this.#options;
    const nowMs = clock.nowMs();
    if (nowMs < this.#restUntilMs) {
      want([]);
      return;
    }
    const members = this.candidates().filter((key) => key !== ownKey);
    for (const key of [...members, ...this.#strangers.all()]) addresses.recognise(key, sessions.lanHint(key));
    const reachable = members.filter((key) => urlsOf(key).length > 0);
    const isDoubtful = (key: string) => nowMs - (this.#failedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) < DOUBTFUL_MS;
    this.#neighbours = chooseNeighbours(reachable, { current: this.#neighbours, isDoubtful, random });
    for (const [key, atMs] of this.#metAtMs) if (nowMs - atMs > MET_MS) this.#metAtMs.delete(key);
    for (const key of this.#reached) if (!this.#neighbours.includes(key)) this.#reached.delete(key);
    const lost = this.#lost.turn(reachable.filter((key) => !this.#neighbours.includes(key)));
    const stranger = this.#knowsNobody ? undefined : this.#strangers.turn((key) => urlsOf(key).length > 0);
    const also = [lost, stranger].filter((key) => key !== undefined);
    want([...new Set([...this.#metAtMs.keys(), ...this.#neighbours, ...also])]);
  }

  /** @param isHeard - whether it answered, and only no connection came up */
  failed(key: string, isHeard: boolean): void {
    this.#reached.delete(key);
    this.#strangers.failed(key);
    this.#failedAtMs.set(key, this.#options.clock.nowMs());
    // Whoever is there is met again.
    if (!isHeard) this.#metAtMs.delete(key);
  }

  reached(key: string): void {
    this.#reached.add(key);
    this.#strangers.reached(key);
    this.#failedAtMs.delete(key);
  }

  /**
   * A member says that this node is none: it leaves all alone for a while, unless another one lets it in. One that does not may
   * lack the latest roster, or lie.
   * @returns whether it does
   */
  rest(): boolean {
    if (this.#reached.size > 0) return false;
    this.#restUntilMs = this.#options.clock.nowMs() + REST_MS;
    return true;
  }

  /** Whether no other member is known. */
  get #knowsNobody(): boolean {
    return this.#options.view.members().length <= 1;
  }
}
