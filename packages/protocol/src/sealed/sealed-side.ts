import { concatBytes } from '@noble/hashes/utils.js';
import { checkEnvelopeSize, interference, NONCE_BYTES } from './envelope.ts';
import { decrypt, directionKey, encrypt, type RandomBytes, Transcript } from './key-schedule.ts';

export interface SealedSideOptions {
  readonly secret: Uint8Array;
  readonly workerKey: Uint8Array;
  readonly exchangeId: Uint8Array;
  readonly random: RandomBytes;
  readonly sends: 'to-worker' | 'to-visitor';
}

/** The common part of both ends of a sealed exchange: a key and a transcript for each direction. */
export class SealedSide {
  readonly exchangeId: Uint8Array;
  readonly sent: Transcript;
  readonly received: Transcript;
  readonly #random: RandomBytes;
  readonly #sealKey: Uint8Array;
  readonly #openKey: Uint8Array;

  constructor({ secret, workerKey, exchangeId, random, sends }: SealedSideOptions) {
    const receives = sends === 'to-worker' ? 'to-visitor' : 'to-worker';
    this.exchangeId = exchangeId;
    this.#random = random;
    this.#sealKey = directionKey(secret, workerKey, exchangeId, sends);
    this.#openKey = directionKey(secret, workerKey, exchangeId, receives);
    this.sent = new Transcript(exchangeId, sends);
    this.received = new Transcript(exchangeId, receives);
  }

  /** The next envelope. @param sign what goes between header and ciphertext, where the side signs. */
  seal(
    bytes: Uint8Array,
    headerOf: (place: { readonly sequence: number; readonly nonce: Uint8Array }) => Uint8Array,
    sign?: (sealed: { readonly header: Uint8Array; readonly ciphertext: Uint8Array }) => Uint8Array,
  ): Uint8Array {
    this.sent.checkRoom();
    const nonce = this.#random(NONCE_BYTES);
    const header = headerOf({ sequence: this.sent.count, nonce });
    const ciphertext = encrypt(this.#sealKey, nonce, header, bytes);
    const signature = sign?.({ header, ciphertext }) ?? new Uint8Array();
    const envelope = checkEnvelopeSize(concatBytes(header, signature, ciphertext));
    this.sent.append(envelope);
    return envelope;
  }

  /** @throws ModelRtcError `refused` when this is not the next envelope of the other side. */
  checkOrder({ sequence }: { readonly sequence: number }): void {
    this.received.checkRoom();
    if (sequence !== this.received.count) throw interference('an envelope was dropped, repeated or reordered');
  }

  /** @throws ModelRtcError `refused` when the envelope was changed. Nothing is noted then. */
  open(
    { nonce, header, ciphertext }: Readonly<Record<'nonce' | 'header' | 'ciphertext', Uint8Array>>,
    envelope: Uint8Array,
  ): Uint8Array {
    const opened = decrypt(this.#openKey, nonce, header, ciphertext);
    this.received.append(envelope);
    return opened;
  }
}
