import { ModelRtcError } from '@model-rtc/protocol';
import type { Peer } from '@model-rtc/transport';
import { RecordSync } from '../core/gossip/record-sync.ts';
import type { MeshReach } from '../types.ts';
import { AddressBook } from './links/address-book.ts';
import { hasLeft, isRefusal } from './links/as-member.ts';
import { Links } from './links/links.ts';
import { MemberContact } from './links/member-contact.ts';
import { Neighbourhood } from './links/neighbourhood.ts';
import { NewsVisits } from './links/news-visits.ts';
import { ReachBook } from './links/reach-book.ts';
import { DOOR, VisitorHandlers } from './links/visitor-handlers.ts';
import type { LanSighting } from './mdns/types.ts';
import { meetingRoomsOf } from './meetings/create.ts';
import type { MeetingRooms } from './meetings/meeting-rooms.ts';
import type { MeshNodeOptions } from './mesh-node-options.ts';
import { SelfAnnouncer } from './own/self-announcer.ts';
import { SleepWatch } from './sleep-watch.ts';
import { untilTrue } from './until-true.ts';
import type { MeshView } from './view.ts';

/** How often own models, members and neighbours are looked at. */
const LOOK_MS = 2_000;
/** This machine in one mesh: it announces what is here, keeps a few connections with other members, and passes on what it hears. */
export class MeshNode {
  readonly view: MeshView;
  readonly visitors: VisitorHandlers;
  readonly #options: MeshNodeOptions;
  readonly #links: Links;
  readonly #contact: MemberContact;
  readonly #sync: RecordSync;
  readonly #news: NewsVisits;
  readonly #meetings: MeetingRooms;
  readonly #closing = new AbortController();
  readonly #addresses: AddressBook;
  readonly #neighbourhood: Neighbourhood;
  readonly #self: SelfAnnouncer | undefined;
  readonly #reach: ReachBook;
  readonly #compared = new Set<string>();
  readonly #wereMembers = new Set<string>();
  #listeners = new Set<() => void>();
  #stopTimer: () => void = () => {};
  #tidiedAtMs: number;
  #looking: Promise<void> | undefined;

  constructor(options: MeshNodeOptions) {
    this.#options = options;
    this.view = options.view;
    const { clock, log, own, random, wallMs = () => Date.now() } = options;
    this.#tidiedAtMs = clock.nowMs();
    this.#addresses = new AddressBook(clock);
    this.#neighbourhood = new Neighbourhood({
      ...{ ...options, addresses: this.#addresses, urlsOf: (key) => this.urlsOf(key), wallMs },
      isLinked: (key) => this.#links.peerOf(key) !== undefined,
      want: (keys) => this.#links.want(keys),
    });
    this.#self = own === undefined ? undefined : new SelfAnnouncer({ ...options, own });
    for (const { key, urls } of options.contacts) this.#addresses.told(key, urls);
    this.#contact = new MemberContact({
      ...{ ...options, peerOf: (key) => this.#links.peerOf(key), urlsOf: (key) => this.urlsOf(key), wallMs },
      handlersFor: (key) => this.visitors.ofMember(key),
      compare: (key) => this.#sync.compare(key),
      isCompared: (key) => this.#compared.has(key),
      onCompared: (key) => this.#didCompare(key),
    });
    this.#links = new Links({
      ...{ clock, log, connect: (key, signal) => this.#contact.connect(key, signal) },
      onLinked: (key, peer, isOwn) => this.#linked(key, peer, isOwn),
      onUnlinked: (key) => this.#contact.lost(key),
      onFailed: (key, error) => {
        const counts = isRefusal(error) && this.#neighbourhood.counts(key);
        this.#neighbourhood.failed(key, this.#contact.reached().includes(key));
        if (counts && hasLeft(this.view, options.ownKey)) this.#didCompare(key);
        else if (counts) this.#notLetIn(error);
        log.debug({ member: key, err: error }, 'a member of the mesh could not be reached');
      },
    });
    this.#reach = new ReachBook({
      ...{ ...options, links: this.#links, contact: this.#contact, addresses: this.#addresses },
    });
    this.#sync = new RecordSync({
      ...{ store: options.view, clock, log, random, wallMs },
      tell: (key, message) => this.#contact.tell(key, message),
      fetchParts: (key, hashes) => this.#contact.fetchParts(key, hashes),
      isWithoutLane: (key) => this.#contact.isWithoutLane(key),
      // News of a removal goes to whoever stays.
      linked: () => this.#links.linked().filter((key) => this.view.scopesOf(key) !== undefined),
      onNews: () => this.#changed(),
      onAnnounced: (exceptKey) => this.#tellNews(exceptKey),
      onBrokenLimit: (key, problem) => this.#drop(key, problem),
    });
    this.#news = new NewsVisits({
      ...{ clock, random, reachable: () => this.#contact.toVisit() },
      lastWordMs: (key) => this.#contact.lastWordMs(key),
      visit: (key) => this.#contact.visitForNews(key, this.#closing.signal),
    });
    const onVisit = (key: string) => this.#contact.visitedBy(key);
    this.visitors = new VisitorHandlers({ ...options, sync: this.#sync, onVisit, wallMs });
    this.#meetings = meetingRoomsOf(options, {
      handlers: () => this.visitors.inMeeting(),
      isAlone: () => this.#isAlone(),
      onMet: (key) => this.#met(key),
    });
    this.onChange(() => this.#meetings.noticed());
  }

  /** Begins to announce, look for others and connect. */
  start(): void {
    const { clock, wallMs = () => Date.now() } = this.#options;
    const sleep = new SleepWatch(clock, wallMs);
    this.#stopTimer = clock.every(LOOK_MS, () => {
      if (sleep.hasSlept(LOOK_MS)) this.#wake();
      void this.look();
    });
    void this.look();
    this.#meetings.start();
  }

  /** The network may be another one, and the clock may have been set. */
  #wake(): void {
    this.#links.retryAll();
    for (const key of this.#links.linked()) void this.#sync.compare(key);
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
        this.#changed();
      }
      await this.#beat();
      this.#dropStrangers();
      this.#neighbourhood.look();
      this.#reach.tell();
    } catch (error) {
      const { log, meshName } = this.#options;
      const { message } = ModelRtcError.from(error);
      log.warn({ err: error }, `The mesh ${meshName} could not be kept up, and is tried again: ${message}`);
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

  adopt(key: string, peer: Peer): void {
    this.#links.adopt(key, peer);
  }

  seenOnLan(sighting: LanSighting): void {
    const { nodeHint, urls, isLeaving } = sighting;
    this.#addresses.heard(nodeHint, isLeaving ? undefined : urls);
    const heard = this.#options.sessions.heardKey(sighting);
    if (heard !== undefined) this.#neighbourhood.heard(heard, sighting);
    const key = this.#neighbourhood.candidates().find((one) => this.#options.sessions.lanHint(one) === nodeHint);
    if (key === undefined) return;
    if (isLeaving) this.#addresses.leftLan(key);
    else if (this.#addresses.seenOnLan(key, urls, this.#links.peerOf(key) !== undefined)) {
      this.#neighbourhood.sighted(key);
      this.#links.retry(key);
    }
  }

  /** How a member is reached now; undefined where it is not. */
  reachOf(key: string): MeshReach | undefined {
    return this.#reach.of(key);
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
    const isDone = (): boolean => this.#compared.size > 0 && this.#sync.isComplete;
    const onChange = (listener: () => void) => this.onChange(listener);
    await untilTrue({ isDone, onChange, clock: this.#options.clock, waitMs, signal });
    return [...this.#compared];
  }

  async close(): Promise<void> {
    this.#stopTimer();
    this.#meetings.close();
    await this.#looking;
    await this.#sayGoodbye();
    this.#closing.abort(new ModelRtcError('cancelled', 'This node is leaving.'));
    this.#news.close();
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

  #notLetIn(error: ModelRtcError): void {
    this.#options.onNotLetIn?.(error);
    if (error.code === 'token_revoked' && !this.#neighbourhood.rest()) return;
    this.view.noteProblem(this.#options.ownKey, error.message);
  }

  /** Those with whom there is a word know at once that this node is gone, and pass it on. */
  async #sayGoodbye(): Promise<void> {
    const names = await this.#self?.announceEnd().catch(() => undefined);
    if (names === undefined) return;
    this.#news.close();
    const records = names.flatMap((name) => this.view.bytesOf(name) ?? []);
    const visits = this.#news.some().map((key) => this.#contact.tellBriefly(key, records, this.#closing.signal));
    // A member that does not answer must not hold up the end.
    await Promise.race([
      Promise.all([this.#sync.announce(names), ...visits]),
      new Promise<void>((end) => this.#options.clock.after(GOODBYE_MS, end)),
    ]);
  }

  #tellNews(exceptKey: string | undefined): void {
    if (!this.#options.isPassing) this.#news.tell(exceptKey);
  }

  /** Whether there is no word with any other member. */
  #isAlone(): boolean {
    return this.#links.linked().length === 0 && this.#contact.reached().length === 0;
  }

  #met(key: string): void {
    this.#neighbourhood.met(key);
    this.#neighbourhood.look();
    this.#links.retry(key);
  }

  #linked(key: string, peer: Peer, isOwn: boolean): void {
    this.#neighbourhood.reached(key);
    const [lane] = peer.openLanes();
    if (lane !== undefined && lane.kind !== 'memory') this.#reach.linkedBy(key, lane.kind);
    this.#changed();
    // One comparison goes both ways.
    if (!isOwn) return;
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

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** How often it is looked what nobody needs any more. */
const TIDY_MS = 60_000;
/** How long members are given to hear that this node is leaving: some hear it over a signaling server far away. */
const GOODBYE_MS = 3_000;
