import { ModelRtcError } from '@model-rtc/protocol';
import type { Handlers, Peer, SealedHandlers } from '@model-rtc/transport';
import { RecordSync } from '../core/gossip/record-sync.ts';
import type { SyncMessage, SyncReply } from '../core/gossip/types.ts';
import type { MeshReach } from '../types.ts';
import { doorHandlers } from './door.ts';
import { AddressBook } from './links/address-book.ts';
import { Links } from './links/links.ts';
import { MemberContact } from './links/member-contact.ts';
import { Neighbourhood } from './links/neighbourhood.ts';
import type { LanSighting } from './mdns/types.ts';
import type { MeshNodeOptions } from './mesh-node-options.ts';
import { SelfAnnouncer } from './own/self-announcer.ts';
import { untilTrue } from './until-true.ts';
import type { MeshView } from './view.ts';

/** How often own models, members and neighbours are looked at. */
const LOOK_MS = 2_000;
/** This machine in one mesh: it announces what is here, keeps a few connections with other members, and passes on what it hears. */
export class MeshNode {
  readonly view: MeshView;
  readonly #options: MeshNodeOptions;
  readonly #links: Links;
  readonly #contact: MemberContact;
  readonly #sync: RecordSync;
  readonly #addresses: AddressBook;
  readonly #neighbourhood: Neighbourhood;
  readonly #self: SelfAnnouncer | undefined;
  readonly #reach = new Map<string, MeshReach>();
  readonly #compared = new Set<string>();
  readonly #wereMembers = new Set<string>();
  #visits = 0;
  #listeners = new Set<() => void>();
  #stopTimer: () => void = () => {};
  #reachTold = '';
  #tidiedAtMs: number;
  #looking: Promise<void> | undefined;

  constructor(options: MeshNodeOptions) {
    this.#options = options;
    this.view = options.view;
    const { clock, log, random } = options;
    this.#tidiedAtMs = clock.nowMs();
    this.#addresses = new AddressBook(clock);
    this.#neighbourhood = new Neighbourhood({
      ...{ ...options, addresses: this.#addresses, urlsOf: (key) => this.urlsOf(key) },
      want: (keys) => this.#links.want(keys),
    });
    const { own } = options;
    this.#self = own === undefined ? undefined : new SelfAnnouncer({ ...options, own });
    for (const { key, urls } of options.contacts) this.#addresses.told(key, urls);
    this.#contact = new MemberContact({
      ...{ ...options, peerOf: (key) => this.#links.peerOf(key), urlsOf: (key) => this.urlsOf(key) },
      handlersFor: (key) => this.handlersFor(key),
      compare: (key) => this.#sync.compare(key),
      isCompared: (key) => this.#compared.has(key),
      onCompared: (key) => this.#didCompare(key),
    });
    this.#links = new Links({
      ...{ clock, log, connect: (key, signal) => this.#contact.connect(key, signal) },
      onLinked: (key, peer) => this.#linked(key, peer),
      onUnlinked: (key) => this.#reach.delete(key),
      onFailed: (key, error) => {
        this.#neighbourhood.failed(key);
        if (error.code === 'token_revoked') this.#toldNoMember(error.message);
        log.debug({ member: key, err: error }, 'a member of the mesh could not be reached');
      },
    });
    this.#sync = new RecordSync({
      ...{ store: options.view, clock, log, random, wallMs: Date.now },
      tell: (key, message) => this.#contact.tell(key, message),
      fetchParts: (key, hashes) => this.#contact.fetchParts(key, hashes),
      isWithoutLane: (key) => this.#contact.isWithoutLane(key),
      linked: () => this.#links.linked(),
      onNews: () => this.#changed(),
      onBrokenLimit: (key, problem) => this.#drop(key, problem),
    });
  }

  /** Begins to announce, look for others and connect. */
  start(): void {
    this.#stopTimer = this.#options.clock.every(LOOK_MS, () => void this.look());
    void this.look();
  }

  /** Looks now at what changed here, and at whom to be connected with. It never rejects. */
  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  async #look(): Promise<void> {
    try {
      const news = await this.view.reload();
      if (news.length > 0) {
        void this.#sync.announce(news);
        this.#changed();
      }
      // A node that has left, or was removed, has nothing to say that would count.
      const isMember = this.view.scopesOf(this.#options.ownKey) !== undefined;
      const own = isMember ? await this.#self?.announceIfDue() : undefined;
      if (own !== undefined) {
        void this.#sync.announce(own);
        for (const key of this.#contact.hasNews()) this.#links.retry(key);
        this.#changed();
      }
      await this.#beat();
      this.#dropStrangers();
      this.#neighbourhood.look();
      this.#tellReach();
    } catch (error) {
      this.#options.log.warn(
        { err: error },
        `The mesh ${this.#options.meshName} could not be kept up. It is tried again.`,
      );
    }
  }

  /** Says that this node is still there, and now and then forgets what nobody needs any more. */
  async #beat(): Promise<void> {
    if (this.#self === undefined) return;
    const beat = await this.view.beatSelf();
    if (beat !== undefined) this.#sync.announceBeat(beat);
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#tidiedAtMs < TIDY_MS) return;
    this.#tidiedAtMs = nowMs;
    this.view.tidy();
  }

  /** What members may ask, beside what their scopes give them at the worker. @param key - who asks */
  handlersFor(key: string): Handlers {
    return {
      mesh_gossip: async (message) => {
        return copied(await this.#sync.answer(key, message));
      },
      mesh_fetch: async ({ parts }) => ({ parts: this.#sync.giveParts(key, parts) }),
    };
  }

  /** The same of a member that has no connection with this node. It asks alone, and briefly. */
  sealedHandlersFor(key: string): SealedHandlers {
    return {
      mesh_gossip: async (message) => {
        this.#contact.visitedBy(key);
        return copied(await this.#sync.answer(key, message, { isWithoutLane: true }));
      },
      mesh_fetch: async ({ parts }) => {
        return { parts: this.#sync.giveParts(key, parts, { isWithoutLane: true }) };
      },
    };
  }

  /** What a visitor may ask that is no member yet: to be let in. */
  doorHandlers(): SealedHandlers {
    this.#visits += 1;
    const visit = `${DOOR}/${this.#visits}`;
    const answer = async (message: SyncMessage) => await this.#sync.answer(visit, message);
    const { onJoined, onRefused } = this.#options;
    return doorHandlers({ view: this.view, answer, onJoined, onRefused });
  }

  adopt(key: string, peer: Peer): void {
    this.#links.adopt(key, peer);
  }

  seenOnLan(sighting: LanSighting): void {
    const { nodeHint, urls, isLeaving } = sighting;
    this.#addresses.heard(nodeHint, isLeaving ? undefined : urls);
    const heard = this.#options.sessions.heardKey(sighting);
    if (heard !== undefined && !isLeaving) this.#neighbourhood.heard(heard);
    const key = this.#neighbourhood.candidates().find((one) => this.#options.sessions.lanHint(one) === nodeHint);
    if (key === undefined) return;
    if (isLeaving) this.#addresses.leftLan(key);
    else if (this.#addresses.seenOnLan(key, urls)) {
      this.#neighbourhood.look();
      this.#links.retry(key);
    }
  }

  /** How a member is reached now; undefined where it is not. */
  reachOf(key: string): MeshReach | undefined {
    if (this.#links.peerOf(key) === undefined) {
      // A machine without a worker asks and is gone again.
      const isHeard = this.#contact.reached().includes(key) && this.view.catalogOf(key) !== undefined;
      return isHeard ? 'signaling' : undefined;
    }
    return this.#addresses.isOnLan(key) ? 'lan' : (this.#reach.get(key) ?? 'signaling');
  }

  urlsOf(key: string): string[] {
    const catalog = this.view.catalogOf(key);
    if (catalog !== undefined) this.#addresses.told(key, catalog.urls);
    return this.#addresses.urlsOf(key, this.#options.signalingUrls);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Waits until a member was asked and all that it has is here, or until the time is up.
   * @returns the keys of those that were asked
   */
  async untilHeard(waitMs: number, signal: AbortSignal): Promise<readonly string[]> {
    const { clock } = this.#options;
    const isDone = (): boolean => this.#compared.size > 0 && this.#sync.isComplete;
    await untilTrue({ isDone, onChange: (listener) => this.onChange(listener), clock, waitMs, signal });
    return [...this.#compared];
  }

  async close(): Promise<void> {
    this.#stopTimer();
    await this.#looking;
    await this.#sayGoodbye();
    this.#sync.close();
    await this.#links.close();
  }

  /** A member that was removed, or left, is not talked to any more. */
  #dropStrangers(): void {
    for (const key of this.#links.linked()) {
      if (this.view.scopesOf(key) !== undefined) this.#wereMembers.add(key);
      if (!this.#wereMembers.has(key) || this.view.scopesOf(key) !== undefined) continue;
      void this.#links.end(key, new ModelRtcError('token_revoked', 'This node is no member of the mesh any more.'));
    }
  }

  #toldNoMember(message: string): void {
    this.#neighbourhood.rest();
    this.view.noteProblem(this.#options.ownKey, message);
  }

  /** Those that are connected know at once that this node is gone, and pass it on. */
  async #sayGoodbye(): Promise<void> {
    const names = await this.#self?.announceEnd().catch(() => undefined);
    if (names === undefined) return;
    // A member that does not answer must not hold up the end.
    await Promise.race([
      this.#sync.announce(names),
      new Promise<void>((end) => this.#options.clock.after(GOODBYE_MS, end)),
    ]);
  }

  #linked(key: string, peer: Peer): void {
    this.#neighbourhood.reached(key);
    const [lane] = peer.openLanes();
    if (lane !== undefined && lane.kind !== 'memory') this.#reach.set(key, lane.kind);
    this.#changed();
    void this.#sync.compare(key).then((isDone) => {
      if (isDone) this.#didCompare(key);
    });
  }

  #didCompare(key: string): void {
    this.#compared.add(key);
    this.#changed();
  }

  #drop(key: string, problem: string): void {
    if (key.startsWith(DOOR)) return;
    this.view.noteProblem(key, problem);
    void this.#links.end(key, new ModelRtcError('busy', problem));
  }

  #tellReach(): void {
    const reach = new Map(
      [...this.#contact.reached(), ...this.#links.linked()].flatMap((key) => {
        const how = this.reachOf(key);
        return how === undefined ? [] : [[key, how] as const];
      }),
    );
    const text = JSON.stringify([...reach].sort());
    if (text === this.#reachTold) return;
    this.#reachTold = text;
    this.#options.onReach?.(reach);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** An answer as the protocol's types want it. */
function copied({ records, want, ranges, missing, ...rest }: SyncReply) {
  const lists = { ranges: ranges && [...ranges], missing: missing && [...missing] };
  return { records: [...records], want: [...want], ...lists, ...rest };
}

/** How often it is looked what nobody needs any more. */
const TIDY_MS = 60_000;
/** Who comes in by the door has no name yet; each visit is counted by itself. */
const DOOR = 'door';
/** How long members are given to hear that this node is leaving. */
const GOODBYE_MS = 1_000;
