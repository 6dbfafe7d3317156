import { fromBase64Url, type Identity, type Log, ModelRtcError, type Scope } from '@model-rtc/protocol';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Beat } from '../../core/beats/beat.ts';
import { CatalogBook, TwoNodesError } from '../../core/catalog/catalog-book.ts';
import type { CatalogHead, OwnAnnouncement } from '../../core/catalog/head.ts';
import type { RecordSummary, TakenBeats } from '../../core/gossip/types.ts';
import { decodeRecord, GOODBYE_TTL_MS, Membership, partHash, type SignedRecord } from '../../core/index.ts';
import type { MeshMember, MeshModel } from '../../types.ts';
import { OwnHead } from '../own/own-head.ts';
import type { JoinedMesh } from '../state/mesh-folders.ts';
import type { RecordCache } from '../state/record-cache.ts';
import type { HeadKind, MeshView } from '../view.ts';
import { BeatKeeper } from './beat-keeper.ts';
import { Clocks } from './clocks.ts';
import { KnownRecords } from './known-records.ts';
import { MemberFiles, type SignedRoster } from './member-files.ts';
import { ProblemBook } from './problem-book.ts';
import { catalogKey, catalogName, decodeKept, keyOf, namedAs, ROSTER } from './record-names.ts';
import { takeKept } from './take-kept.ts';
import { leftOutProblem, TrustList } from './trust-list.ts';
import { TwoNodes } from './two-nodes.ts';

export interface ViewParts {
  readonly joined: JoinedMesh;
  readonly cache: RecordCache;
  readonly identity: Identity;
  /** There only on the machine that made the mesh. */
  readonly authority: Identity | undefined;
  readonly log: Log;
  /** The date, in milliseconds since 1970; that of this machine when left out. */
  readonly wallMs?: (() => number) | undefined;
}

/** What this machine knows of one mesh: in memory, and in the cache that its processes share. */
export class StoredMeshView implements MeshView {
  readonly ownKey: string;
  readonly membership: Membership;
  readonly catalogs: CatalogBook;
  readonly clocks: Clocks;
  readonly #parts: ViewParts;
  readonly #prefix: string;
  readonly #wallMs: () => number;
  readonly #problems: ProblemBook;
  readonly #members: MemberFiles;
  readonly #trust: TrustList;
  readonly #twoNodes: TwoNodes;
  readonly #beats: BeatKeeper;
  readonly #own: OwnHead;
  readonly #known = new KnownRecords();
  #cacheVersion = -1;

  constructor(parts: ViewParts) {
    this.#parts = parts;
    const { mesh } = parts.joined;
    this.ownKey = bytesToHex(parts.identity.publicKey);
    this.#prefix = `${mesh.id.slice(0, 16)}/`;
    const wallMs = parts.wallMs ?? (() => Date.now());
    this.#wallMs = wallMs;
    const common = { meshId: mesh.id, wallMs, ownKey: this.ownKey };
    this.#problems = new ProblemBook({ ...common, cache: parts.cache, log: parts.log, mesh });
    this.#trust = new TrustList(parts.joined.trust);
    this.membership = new Membership(common);
    this.catalogs = new CatalogBook({
      ...common,
      isMember: (key) => this.membership.isMember(key),
      isTrusted: (key) => this.#trust.isTrusted(key),
    });
    this.#twoNodes = new TwoNodes(this.catalogs, this.#problems, wallMs);
    this.clocks = new Clocks({ ...common, problems: this.#problems, refused: () => this.catalogs.aheadMs() });
    this.#beats = new BeatKeeper({
      ...{ catalogs: this.catalogs, cache: parts.cache, prefix: this.#prefix },
      memberOf: (hint) => this.#known.keysBy(hint).find((key) => this.membership.isMember(key)),
      onDoubled: (key) => this.#twoNodes.note(key),
    });
    this.#own = new OwnHead({ ...common, identity: parts.identity, catalogs: this.catalogs });
    this.#members = new MemberFiles({
      ...{ joined: parts.joined, authority: parts.authority, membership: this.membership },
      take: async (record) => void (await this.#take(record, false)),
      takeKept: (kept) => this.#takeKept(kept),
      acceptPart: (bytes) => this.acceptPart(bytes),
    });
  }

  /** Reads what is kept. Everything is checked again. @throws ModelRtcError `storage` */
  async open(): Promise<void> {
    await this.#members.readRoster();
    await this.#takeKept(this.introduction());
    await this.reload();
  }

  members(): readonly MeshMember[] {
    return this.membership.members();
  }

  scopesOf(key: string): readonly Scope[] | undefined {
    return this.membership.memberOf(key)?.scopes;
  }

  catalogOf(key: string): CatalogHead | undefined {
    return this.membership.isMember(key) ? this.catalogs.headOf(key) : undefined;
  }

  aliveAtMs(key: string): number | undefined {
    return this.catalogOf(key) === undefined ? undefined : this.catalogs.beats.aliveAtMs(key);
  }

  modelsOf(key: string): readonly MeshModel[] {
    return this.#twoNodes.has(key) ? [] : this.catalogs.modelsOf(key);
  }

  problemOf(key: string): string | undefined {
    return this.#problems.of(key) ?? leftOutProblem(this.catalogs, key, this.#trust.isTrusted(key));
  }

  /** This machine begins anew. */
  async clearOwnProblem(): Promise<void> {
    await this.#problems.clear(this.ownKey);
  }

  noteProblem(key: string, problem: string): void {
    this.#problems.note(key, problem);
  }

  get size(): number {
    return this.#known.size;
  }

  summary(beatsUntil?: number): RecordSummary[] {
    const counts = (key: string) => this.membership.isMember(key) || this.#known.has(`leave/${key}`);
    return this.#known.summary(counts).map((one) => {
      const beat = this.catalogs.beats.indexOf(catalogKey(one.name) ?? '', beatsUntil);
      return beat === undefined ? one : { ...one, beat };
    });
  }

  beatOf(hint: string): Beat | undefined {
    return this.catalogs.beats.beatOf(hint);
  }

  beatsOf(name: string): number | undefined {
    return this.catalogs.beats.indexOf(catalogKey(name) ?? '');
  }

  async acceptBeats(beats: readonly Beat[]): Promise<TakenBeats> {
    return await this.#beats.take(beats);
  }

  orderOf(name: string): number | undefined {
    return this.#known.orderOf(name);
  }

  bytesOf(name: string): Uint8Array | undefined {
    return this.#known.bytesOf(name);
  }

  membersAmong(records: readonly Uint8Array[]): readonly string[] {
    const memberships = decodeKept(records).filter(({ kind }) => kind === 'membership');
    return memberships.flatMap((record) => keyOf(record) ?? []).filter((key) => this.membership.isMember(key));
  }

  introduction(): Uint8Array[] {
    return [fromBase64Url(this.#parts.joined.mesh.membership)];
  }

  async accept(bytes: Uint8Array, fromKey: string): Promise<string | false | undefined> {
    try {
      if (this.membership.isMember(this.#known.ownerOf(bytes) ?? '')) return undefined;
      const name = await this.#take(decodeRecord(bytes), false);
      // Its own newest catalog comes from this process alone.
      if (name === catalogName(this.ownKey)) this.#foundOwnDouble();
      return name;
    } catch (error) {
      if (error instanceof TwoNodesError) {
        this.#twoNodes.note(error.key);
        return undefined;
      }
      const refusal = ModelRtcError.from(error);
      this.#problems.refused(refusal, fromKey);
      return refusal.details?.isForged === true ? false : undefined;
    }
  }

  missingParts(most: number, isSkipped: (hash: string) => boolean = () => false): readonly string[] {
    const ofRoster = this.membership.missingParts().filter((hash) => !isSkipped(hash));
    return [...ofRoster.slice(0, most), ...this.catalogs.missingParts(Math.max(0, most - ofRoster.length), isSkipped)];
  }

  part(hash: string): Uint8Array | undefined {
    return this.membership.part(hash) ?? this.catalogs.part(hash);
  }

  async acceptPart(bytes: Uint8Array, fromKey = this.ownKey): Promise<boolean> {
    try {
      const isOfRoster = this.membership.takePart(bytes);
      if (isOfRoster) this.catalogs.recount();
      const isNews = isOfRoster || this.catalogs.takePart(bytes);
      if (isNews) await this.#parts.cache.putPart(partHash(bytes), bytes);
      return isNews;
    } catch (error) {
      this.#problems.refused(ModelRtcError.from(error), fromKey);
      return false;
    }
  }

  get needsHead(): boolean {
    return this.#own.isOver;
  }

  async announceSelf(own: OwnAnnouncement, kind: HeadKind): Promise<readonly string[]> {
    const { record, parts } = this.#own.sign(own, kind);
    const name = await this.#take(record, false);
    for (const { bytes } of parts) await this.acceptPart(bytes);
    return name === undefined ? [] : [name];
  }

  async beatSelf(): Promise<Beat | undefined> {
    const beat = this.#own.beats.due();
    if (beat === undefined) return undefined;
    const { news } = await this.#beats.take([beat]);
    if (this.catalogs.headOf(this.ownKey)?.sequence !== beat.sequence) this.#own.beats.overruled(news.length > 0);
    return beat;
  }

  tidy(): void {
    this.catalogs.tidy();
    const keys = [this.ownKey, ...this.members().map(({ key }) => key)];
    this.#twoNodes.settle(keys);
    this.clocks.look(keys);
  }

  async reload(): Promise<readonly string[]> {
    const { cache } = this.#parts;
    const news = (await this.#members.readRoster()) ? [ROSTER] : [];
    if (await this.#trust.reload()) this.catalogs.recount();
    const version = cache.version();
    if (version !== this.#cacheVersion) {
      this.#cacheVersion = version;
      const newer = [...cache.records(this.#prefix)].filter(
        ([name, { order }]) => order > (this.orderOf(name.slice(this.#prefix.length)) ?? -1),
      );
      news.push(...(await this.#takeKept(newer.map(([, { bytes }]) => bytes))));
    }
    await this.#takeKeptParts(this.missingParts(Number.POSITIVE_INFINITY));
    await this.#beats.save();
    this.#beats.load();
    this.clocks.look();
    if (await this.#members.listNew(this.#wallMs())) news.push(ROSTER);
    await this.#members.write();
    return news;
  }

  /** Keeps a roster that this machine, as the authority, has signed. @throws ModelRtcError `storage` */
  async acceptRoster(roster: SignedRoster): Promise<void> {
    await this.#members.keepRoster(roster);
  }

  #takeKept(kept: readonly Uint8Array[]): Promise<string[]> {
    return takeKept(kept, {
      take: (record) => this.#take(record, true),
      beforeCatalogs: () => this.#takeKeptParts(this.membership.missingParts()),
      log: this.#parts.log,
    });
  }

  async #takeKeptParts(hashes: readonly string[]): Promise<void> {
    for (const hash of hashes) {
      const bytes = this.#parts.cache.part(hash);
      if (bytes !== undefined) await this.acceptPart(new Uint8Array(bytes));
    }
  }

  /** @returns the record's name if it is news */
  async #take(record: SignedRecord, isKept: boolean): Promise<string | undefined> {
    const isNews =
      record.kind === 'model_catalog' ? this.catalogs.take(record) !== undefined : this.membership.take(record, isKept);
    if (!isNews) return undefined;
    const { name, key, order } = namedAs(record);
    if (record.kind !== 'model_catalog') this.catalogs.recount();
    this.#known.set(name, { id: record.id, bytes: record.bytes, key, order });
    // What this machine has on its disk is older than what it noted about the node.
    const isHeard = !isKept && key !== undefined && key !== this.ownKey;
    if (isHeard && record.kind === 'model_catalog' && !this.#twoNodes.has(key)) void this.#problems.clear(key);
    const { cache } = this.#parts;
    const isCurrent = cache.version() === this.#cacheVersion;
    const kept = { bytes: Buffer.from(record.bytes), order, heardAtMs: this.#wallMs() };
    await cache.putRecord(`${this.#prefix}${name}`, kept);
    // Its own change needs no second look, as long as nobody else changed something meanwhile.
    if (isCurrent) this.#cacheVersion = Math.min(cache.version(), this.#cacheVersion + 1);
    return name;
  }

  /** Somebody else signs with this machine's key. */
  #foundOwnDouble(): void {
    // A command that lost its cache hears of its own worker from others.
    if (!this.#own.hasSigned) return;
    this.#twoNodes.note(this.ownKey);
    // The other one is going, and has taken this one with it.
    if ((this.catalogs.headOf(this.ownKey)?.ttlMs ?? 0) <= GOODBYE_TTL_MS) this.#own.beats.end();
  }
}
