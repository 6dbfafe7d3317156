import type { Identity } from '@model-rtc/protocol';
import { bytesToHex, randomBytes } from '@noble/hashes/utils.js';
import type { CatalogBook } from '../../core/catalog/catalog-book.ts';
import { type OwnAnnouncement, signHead } from '../../core/catalog/head.ts';
import { BEATS_LAST_MS, GOODBYE_TTL_MS } from '../../core/limits.ts';
import type { HeadKind } from '../view.ts';
import { OwnBeats } from './own-beats.ts';

export interface OwnHeadOptions {
  readonly identity: Identity;
  readonly meshId: string;
  readonly catalogs: Pick<CatalogBook, 'headOf' | 'lastSequence'>;
  /** The date: milliseconds since 1970. */
  readonly wallMs: () => number;
}

/** Signs the heads of this machine, each with a chain of beats. */
export class OwnHead {
  readonly beats: OwnBeats;
  readonly #options: OwnHeadOptions;
  readonly #key: string;
  #hasSigned = false;

  constructor(options: OwnHeadOptions) {
    this.#options = options;
    this.#key = bytesToHex(options.identity.publicKey);
    this.beats = new OwnBeats({ key: this.#key, wallMs: options.wallMs, randomBytes });
  }

  /** Whether this process has announced this machine. */
  get hasSigned(): boolean {
    return this.#hasSigned;
  }

  /** Whether it takes a new head to be heard by all. */
  get isOver(): boolean {
    const { catalogs } = this.#options;
    // Signed while this machine's clock was ahead, and refused now that it is right: whoever took that one takes no lower number.
    const isHidden = catalogs.lastSequence(this.#key) > (catalogs.headOf(this.#key)?.sequence ?? 0);
    return this.beats.isOver || (this.#hasSigned && isHidden);
  }

  sign(own: OwnAnnouncement, kind: HeadKind): ReturnType<typeof signHead> {
    const { identity, meshId, catalogs, wallMs } = this.#options;
    const nowMs = wallMs();
    this.#hasSigned = true;
    // By the date: a machine that lost its cache must not fall behind what others have of it.
    const sequence = Math.max(catalogs.lastSequence(this.#key) + 1, nowMs);
    const common = { meshId, own, sequence, nowMs };
    if (kind !== 'goodbye')
      return signHead(identity, { ...common, beats: this.beats.begin(sequence, nowMs, kind.beatEveryMs) });
    // It reveals none, but others hear by the anchor that there is such a head.
    const plan = this.beats.begin(sequence, nowMs, BEATS_LAST_MS);
    this.beats.end(false);
    return signHead(identity, { ...common, ttlMs: GOODBYE_TTL_MS, beats: plan });
  }
}
