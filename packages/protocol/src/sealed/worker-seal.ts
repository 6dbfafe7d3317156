import { equalBytes } from '@noble/ciphers/utils.js';
import { concatBytes, randomBytes } from '@noble/hashes/utils.js';
import { packValue } from '../codec.ts';
import { type ErrorData, ModelRtcError } from '../errors.ts';
import type { Identity } from '../identity.ts';
import { keyIdText } from '../session-token.ts';
import {
  checkEnvelopeSize,
  exchangeIdOf,
  interference,
  NONCE_BYTES,
  readVisitorEnvelope,
  refusalHeader,
  type VisitorEnvelope,
  workerHeader,
} from './envelope.ts';
import {
  decrypt,
  directionKey,
  encrypt,
  type RandomBytes,
  refusalText,
  signedText,
  Transcript,
} from './key-schedule.ts';

/** The worker's end of one sealed exchange. An envelope that is refused changes nothing. */
export interface WorkerSeal {
  /** The token that the visitor holds, as 16 hex characters. */
  readonly keyId: string;
  /** What the visitor's first envelope held. */
  readonly first: Uint8Array;
  /** The next envelope to the visitor, signed over all that was seen and said so far. */
  seal(bytes: Uint8Array): Uint8Array;
  /** @throws ModelRtcError `refused` when the envelope was changed, repeated, dropped before, or taken from elsewhere. */
  open(envelope: Uint8Array): Uint8Array;
}

/**
 * Opens the first envelope of a visitor.
 * @param options.lookup the secret of a token by its key id; what it throws is thrown on (a revoked token).
 * @param options.random for tests alone.
 * @throws ModelRtcError `refused`; answer it with `refuseEnvelope`.
 */
export function createWorkerSeal(options: {
  readonly identity: Identity;
  readonly firstEnvelope: Uint8Array;
  readonly lookup: (keyIdHex: string) => Uint8Array | undefined;
  readonly random?: RandomBytes | undefined;
}): WorkerSeal {
  const first = readVisitorEnvelope(options.firstEnvelope);
  const secret = options.lookup(keyIdText(first.keyId));
  if (secret === undefined) {
    throw new ModelRtcError('refused', 'The worker does not know this session token; ask its owner for a new one.', {
      details: { keyId: keyIdText(first.keyId) },
    });
  }
  return new Worker(options.identity, options.firstEnvelope, first, secret, options.random ?? randomBytes);
}

/**
 * An error in the clear, signed, for a visitor whose envelope cannot or may not be opened: its `open` throws this error.
 */
export function refuseEnvelope(options: {
  readonly identity: Identity;
  readonly firstEnvelope: Uint8Array;
  readonly error: ErrorData;
}): Uint8Array {
  const header = refusalHeader(exchangeIdOf(options.firstEnvelope));
  const error = packValue(options.error);
  const signature = options.identity.sign(refusalText(options.firstEnvelope, { header, error }));
  return checkEnvelopeSize(concatBytes(header, signature, error));
}

class Worker implements WorkerSeal {
  readonly keyId: string;
  readonly first: Uint8Array;
  readonly #identity: Identity;
  readonly #random: RandomBytes;
  readonly #exchangeId: Uint8Array;
  readonly #sealKey: Uint8Array;
  readonly #openKey: Uint8Array;
  readonly #sent: Transcript;
  readonly #received: Transcript;

  constructor(
    identity: Identity,
    firstEnvelope: Uint8Array,
    { keyId, exchangeId }: VisitorEnvelope,
    secret: Uint8Array,
    random: RandomBytes,
  ) {
    this.keyId = keyIdText(keyId);
    this.#identity = identity;
    this.#random = random;
    this.#exchangeId = exchangeId.slice();
    this.#sealKey = directionKey(secret, identity.publicKey, exchangeId, 'to-visitor');
    this.#openKey = directionKey(secret, identity.publicKey, exchangeId, 'to-worker');
    this.#sent = new Transcript(exchangeId, 'to-visitor');
    this.#received = new Transcript(exchangeId, 'to-worker');
    this.first = this.open(firstEnvelope);
  }

  seal(bytes: Uint8Array): Uint8Array {
    this.#sent.checkRoom();
    const nonce = this.#random(NONCE_BYTES);
    const header = workerHeader({
      exchangeId: this.#exchangeId,
      sequence: this.#sent.count,
      seen: this.#received.count,
      nonce,
    });
    const ciphertext = encrypt(this.#sealKey, nonce, header, bytes);
    const text = signedText(this.#received.latest, this.#sent.latest, { header, ciphertext });
    const envelope = checkEnvelopeSize(concatBytes(header, this.#identity.sign(text), ciphertext));
    this.#sent.append(envelope);
    return envelope;
  }

  open(bytes: Uint8Array): Uint8Array {
    const envelope = readVisitorEnvelope(bytes);
    const isOurs = keyIdText(envelope.keyId) === this.keyId && equalBytes(envelope.exchangeId, this.#exchangeId);
    if (!isOurs) throw interference('an envelope is of another exchange');
    this.#received.checkRoom();
    if (envelope.sequence !== this.#received.count)
      throw interference('an envelope was dropped, repeated or reordered');
    const opened = decrypt(this.#openKey, envelope.nonce, envelope.header, envelope.ciphertext);
    this.#received.append(bytes);
    return opened;
  }
}
