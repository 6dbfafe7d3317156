import { fromBase64Url, type Identity, toBase64Url } from '@model-rtc/protocol';
import { type Membership, nextRoster, type Part, type SignedRecord } from '../../core/index.ts';
import type { JoinedMesh } from '../state/mesh-folders.ts';

/** A roster as the authority signs it, with the parts that it names. */
export interface SignedRoster {
  readonly record: SignedRecord;
  readonly parts: readonly Part[];
}

export interface MemberFilesOptions {
  readonly joined: JoinedMesh;
  /** There only on the machine that made the mesh. */
  readonly authority: Identity | undefined;
  readonly membership: Membership;
  /** Takes a record that this machine signed. */
  readonly take: (record: SignedRecord) => Promise<void>;
  /** Takes records from this machine's disk. */
  readonly takeKept: (kept: readonly Uint8Array[]) => Promise<unknown>;
  readonly acceptPart: (bytes: Uint8Array) => Promise<unknown>;
}

/** How long the authority waits for more members before it lists new ones. */
const LIST_AFTER_MS = 5_000;

/** The files that say who belongs to a mesh: the roster that the authority's machine signed, and names for people. */
export class MemberFiles {
  readonly #options: MemberFilesOptions;
  #rosterSequence = 0;
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #membersWritten = '';

  constructor(options: MemberFilesOptions) {
    this.#options = options;
  }

  /** The roster's file holds what the authority's machine signed, by whichever process. @returns whether there is a roster that is news */
  async readRoster(): Promise<boolean> {
    const { joined, membership, takeKept } = this.#options;
    const file = await joined.roster.read();
    if (file !== undefined && file.sequence > (membership.roster?.sequence ?? 0)) {
      await takeKept([fromBase64Url(file.signed)]);
      for (const part of file.parts) await this.#options.acceptPart(fromBase64Url(part));
    }
    const before = this.#rosterSequence;
    this.#rosterSequence = membership.roster?.sequence ?? 0;
    return this.#rosterSequence !== before;
  }

  /** Keeps a roster that this machine, as the authority, has signed. @throws ModelRtcError `storage` */
  async keepRoster({ record, parts }: SignedRoster): Promise<void> {
    const { joined, membership, take, acceptPart } = this.#options;
    await take(record);
    for (const { bytes } of parts) await acceptPart(bytes);
    await joined.roster.update(() => ({
      ...{ epoch: membership.roster?.epoch ?? 0, sequence: membership.roster?.sequence ?? 0 },
      members: membership.members().map(({ key, name }) => ({ key, name })),
      removed: [...(membership.roster?.removed ?? [])].map(([key, epoch]) => ({ key, epoch })),
      ...{ signed: toBase64Url(record.bytes), parts: parts.map(({ bytes }) => toBase64Url(bytes)) },
    }));
  }

  /** The authority lists members that came with an invite, so that they stay when it has expired. @returns whether it did */
  async listNew(nowMs: number): Promise<boolean> {
    const { authority, membership, joined } = this.#options;
    if (authority === undefined || membership.isListed()) return false;
    if (nowMs - this.#listedAtMs < LIST_AFTER_MS) return false;
    this.#listedAtMs = nowMs;
    await this.keepRoster(nextRoster(membership, { meshName: joined.mesh.name }, authority, nowMs));
    this.#rosterSequence = membership.roster?.sequence ?? 0;
    return true;
  }

  /** Names for people, and for the completion of shells. */
  async write(): Promise<void> {
    const { joined, membership } = this.#options;
    const members = membership.members().map(({ key, name, scopes, joinedAt }) => ({
      key,
      name,
      scopes: [...scopes],
      joinedAt: joinedAt.toISOString(),
    }));
    const text = JSON.stringify(members);
    if (text === this.#membersWritten) return;
    this.#membersWritten = text;
    await joined.members.update((before) => (JSON.stringify(before.members) === text ? before : { members }));
  }
}
