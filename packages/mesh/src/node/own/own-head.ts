import type { Identity } from '@model-rtc/protocol';
import { bytesToHex, randomBytes } from '@noble/hashes/utils.js';
import { type OwnAnnouncement, signHead } from '../../core/catalog/head.ts';
import { GOODBYE_TTL_MS } from '../../core/limits.ts';
import type { HeadKind } from '../view.ts';
import { OwnBeats } from './own-beats.ts';

/** Signs the heads of this machine, each with a chain of beats. */
export class OwnHead {
  readonly beats: OwnBeats;
  readonly #identity: Identity;
  readonly #meshId: string;
  #hasSigned = false;

  constructor(identity: Identity, meshId: string) {
    this.#identity = identity;
    this.#meshId = meshId;
    this.beats = new OwnBeats({ key: bytesToHex(identity.publicKey), wallMs: Date.now, randomBytes });
  }

  /** Whether this process has announced this machine. */
  get hasSigned(): boolean {
    return this.#hasSigned;
  }

  /** @param before the sequence of the head that is known of this machine */
  sign(own: OwnAnnouncement, kind: HeadKind, before: number): ReturnType<typeof signHead> {
    const nowMs = Date.now();
    this.#hasSigned = true;
    // By the date: a machine that lost its cache must not fall behind what others have of it.
    const sequence = Math.max(before + 1, nowMs);
    const common = { meshId: this.#meshId, own, sequence, nowMs };
    if (kind !== 'goodbye')
      return signHead(this.#identity, { ...common, beats: this.beats.begin(sequence, nowMs, kind.beatEveryMs) });
    this.beats.end(false);
    return signHead(this.#identity, { ...common, ttlMs: GOODBYE_TTL_MS });
  }
}
