import { fromBase64Url, type Identity, type Log, ModelRtcError, type Scope } from '@model-rtc/protocol';
import { bytesToHex } from '@noble/hashes/utils.js';
import { CatalogBook, TwoNodesError } from '../../core/catalog/catalog-book.ts';
import { type CatalogHead, type OwnAnnouncement, signHead } from '../../core/catalog/head.ts';
import type { RecordSummary } from '../../core/gossip/types.ts';
import { CATALOG_TTL_MS, decodeRecord, Membership, partHash, type SignedRecord } from '../../core/index.ts';
import type { MeshMember, MeshModel } from '../../types.ts';
import type { JoinedMesh } from '../state/mesh-folders.ts';
import type { RecordCache } from '../state/record-cache.ts';
import type { MeshView } from '../view.ts';
import { KnownRecords } from './known-records.ts';
import { MemberFiles, type SignedRoster } from './member-files.ts';
import { ProblemBook } from './problem-book.ts';
import { decodeKept, namedAs, ROSTER } from './record-names.ts';

export interface ViewParts {
  readonly joined: JoinedMesh;
  readonly cache: RecordCache;
  readonly identity: Identity;
  /** There only on the machine that made the mesh. */
  readonly authority: Identity | undefined;
  readonly log: Log;
}

/** What this machine knows of one mesh: in memory, and in the cache that its processes share. */
export class StoredMeshView implements MeshView {
  readonly ownKey: string;
  readonly membership: Membership;
  readonly catalogs: CatalogBook;
  readonly #parts: ViewParts;
  readonly #prefix: string;
  readonly #problems: ProblemBook;
  readonly #members: MemberFiles;
  readonly #known = new KnownRecords();
  #cacheVersion = -1;

  constructor(parts: ViewParts) {
    this.#parts = parts;
    const { mesh } = parts.joined;
    this.ownKey = bytesToHex(parts.identity.publicKey);
    this.#prefix = `${mesh.id.slice(0, 16)}/`;
    this.#problems = new ProblemBook({ cache: parts.cache, log: parts.log, mesh, ownKey: this.ownKey });
    this.membership = new Membership({ meshId: mesh.id, wallMs: Date.now });
    this.catalogs = new CatalogBook({
      meshId: mesh.id,
      wallMs: Date.now,
      isMember: (key) => this.membership.isMember(key),
    });
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
    const { mesh } = this.#parts.joined;
    await this.#takeKept([fromBase64Url(mesh.membership)]);
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

  modelsOf(key: string): readonly MeshModel[] {
    return this.catalogs.modelsOf(key);
  }

  problemOf(key: string): string | undefined {
    return this.#problems.of(key);
  }

  /** This machine begins anew. */
  clearOwnProblem(): void {
    this.#problems.clear(this.ownKey);
  }

  noteProblem(key: string, problem: string): void {
    this.#problems.note(key, problem);
  }

  summary(): RecordSummary[] {
    return this.#known.summary((key) => this.membership.isMember(key) || this.#known.has(`leave/${key}`));
  }

  orderOf(name: string): number | undefined {
    return this.#known.orderOf(name);
  }

  bytesOf(name: string): Uint8Array | undefined {
    return this.#known.bytesOf(name);
  }

  areOfMembers(records: readonly Uint8Array[]): boolean {
    return decodeKept(records).some((record) => {
      if (record.kind !== 'membership') return false;
      const { key } = namedAs(record);
      return key !== undefined && this.membership.isMember(key);
    });
  }

  introduction(): Uint8Array[] {
    return [fromBase64Url(this.#parts.joined.mesh.membership)];
  }

  async accept(bytes: Uint8Array, fromKey: string): Promise<string | false | undefined> {
    try {
      const name = await this.#take(decodeRecord(bytes), false);
      // Its own newest catalog comes from this process alone.
      if (name === `model_catalog/${this.ownKey}`) this.noteProblem(this.ownKey, TWO_NODES);
      return name;
    } catch (error) {
      if (error instanceof TwoNodesError) {
        this.noteProblem(error.key, TWO_NODES);
        return undefined;
      }
      const refusal = ModelRtcError.from(error);
      this.#refused(refusal, fromKey);
      return refusal.details?.isForged === true ? false : undefined;
    }
  }

  missingParts(most: number, isSkipped: (hash: string) => boolean = () => false): readonly string[] {
    const all = [...this.membership.missingParts(), ...this.catalogs.missingParts()];
    return all.filter((hash) => !isSkipped(hash)).slice(0, most);
  }

  part(hash: string): Uint8Array | undefined {
    return this.membership.part(hash) ?? this.catalogs.part(hash);
  }

  async acceptPart(bytes: Uint8Array, fromKey = this.ownKey): Promise<boolean> {
    try {
      const isNews = this.membership.takePart(bytes) || this.catalogs.takePart(bytes);
      if (isNews) await this.#parts.cache.putPart(partHash(bytes), bytes);
      return isNews;
    } catch (error) {
      this.#refused(ModelRtcError.from(error), fromKey);
      return false;
    }
  }

  async announceSelf(own: OwnAnnouncement, ttlMs = CATALOG_TTL_MS): Promise<readonly string[]> {
    const { identity, joined } = this.#parts;
    const before = this.catalogs.headOf(this.ownKey)?.sequence ?? 0;
    // By the date: a machine that lost its cache must not fall behind what others have of it.
    const sequence = Math.max(before + 1, Date.now());
    const { record, parts } = signHead(identity, { meshId: joined.mesh.id, own, ttlMs, sequence, nowMs: Date.now() });
    const name = await this.#take(record, false);
    for (const { bytes } of parts) await this.acceptPart(bytes);
    this.catalogs.tidy();
    return name === undefined ? [] : [name];
  }

  async reload(): Promise<readonly string[]> {
    const { cache } = this.#parts;
    const news = (await this.#members.readRoster()) ? [ROSTER] : [];
    const version = cache.version();
    if (version !== this.#cacheVersion) {
      this.#cacheVersion = version;
      const newer = [...cache.records(this.#prefix)].filter(
        ([name, { order }]) => order > (this.orderOf(name.slice(this.#prefix.length)) ?? -1),
      );
      news.push(...(await this.#takeKept(newer.map(([, { bytes }]) => bytes))));
    }
    for (const hash of this.missingParts(Number.POSITIVE_INFINITY)) {
      const bytes = cache.part(hash);
      if (bytes !== undefined) await this.acceptPart(new Uint8Array(bytes));
    }
    if (await this.#members.listNew(Date.now())) news.push(ROSTER);
    await this.#members.write();
    return news;
  }

  /** Keeps a roster that this machine, as the authority, has signed. @throws ModelRtcError `storage` */
  async acceptRoster(roster: SignedRoster): Promise<void> {
    await this.#members.keepRoster(roster);
  }

  /** Records from this machine's own disk. Those that do not count any more are left out. */
  async #takeKept(kept: readonly Uint8Array[]): Promise<string[]> {
    const names: string[] = [];
    for (const record of decodeKept(kept)) {
      try {
        const name = await this.#take(record, true);
        if (name !== undefined) names.push(name);
      } catch (error) {
        this.#parts.log.debug({ err: error }, 'a record of the mesh on this disk does not count any more');
      }
    }
    return names;
  }

  /** @returns the record's name if it is news */
  async #take(record: SignedRecord, isKept: boolean): Promise<string | undefined> {
    const isNews =
      record.kind === 'model_catalog' ? this.catalogs.take(record) !== undefined : this.membership.take(record, isKept);
    if (!isNews) return undefined;
    const { name, key, order } = namedAs(record);
    this.#known.set(name, { bytes: record.bytes, key, order });
    if (key !== undefined && key !== this.ownKey && record.kind === 'model_catalog') this.#problems.clear(key);
    const { cache } = this.#parts;
    const isCurrent = cache.version() === this.#cacheVersion;
    await cache.putRecord(`${this.#prefix}${name}`, { bytes: Buffer.from(record.bytes), order, heardAtMs: Date.now() });
    // Its own change needs no second look, as long as nobody else changed something meanwhile.
    if (isCurrent) this.#cacheVersion = Math.min(cache.version(), this.#cacheVersion + 1);
    return name;
  }

  #refused(error: ModelRtcError, fromKey: string): void {
    const { problem, culprit } = error.details ?? {};
    if (typeof problem === 'string' && typeof culprit === 'string')
      this.noteProblem(culprit, `${problem[0]?.toUpperCase()}${problem.slice(1)}.`);
    this.#parts.log.debug({ err: error, member: fromKey }, 'a record of a member was refused');
  }
}

const TWO_NODES =
  'Two machines announce with this key: a data folder was copied. Stop one of them, remove keys/identity.key there, and join it again.';
