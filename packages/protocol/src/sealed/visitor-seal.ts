import { equalBytes } from '@noble/ciphers/utils.js';
import { concatBytes, randomBytes } from '@noble/hashes/utils.js';
import { unpackValue } from '../codec.ts';
import { ModelRtcError } from '../errors.ts';
import { verifySignature } from '../identity.ts';
import { errorDataSchema } from '../messages.ts';
import type { SessionToken } from '../session-token.ts';
import {
  checkEnvelopeSize,
  EXCHANGE_ID_BYTES,
  interference,
  NONCE_BYTES,
  type RefusalEnvelope,
  readWorkerEnvelope,
  visitorHeader,
  type WorkerEnvelope,
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

/** What an envelope of the worker held. */
export interface OpenedFromWorker {
  readonly bytes: Uint8Array;
  /** How many of this visitor's envelopes the worker had processed when it sent this: at least 1. */
  readonly seen: number;
}

/**
 * The visitor's end of one sealed exchange: it seals what goes to the worker, and opens what comes through the signaling
 * server only if the worker's own key signed it for this exchange. An envelope that is refused changes nothing.
 */
export interface VisitorSeal {
  /** The next envelope to the worker. Envelopes are sent in the order in which they were sealed. */
  seal(bytes: Uint8Array): Uint8Array;
  /**
   * @throws ModelRtcError `refused` when the envelope was changed, repeated, dropped before, taken from elsewhere or not made
   *   by the worker; the worker's own error when it refuses the exchange.
   */
  open(envelope: Uint8Array): OpenedFromWorker;
}

/** @param options.random for tests alone. */
export function createVisitorSeal(options: {
  readonly token: Pick<SessionToken, 'workerKey' | 'keyId' | 'secret'>;
  readonly random?: RandomBytes | undefined;
}): VisitorSeal {
  return new Visitor(options.token, options.random ?? randomBytes);
}

class Visitor implements VisitorSeal {
  readonly #workerKey: Uint8Array;
  readonly #keyId: Uint8Array;
  readonly #random: RandomBytes;
  readonly #exchangeId: Uint8Array;
  readonly #sealKey: Uint8Array;
  readonly #openKey: Uint8Array;
  readonly #sent: Transcript;
  readonly #received: Transcript;
  #firstEnvelope: Uint8Array | undefined;
  /** The `seen` of the latest envelope: the worker never forgets what it saw. */
  #seen = 1;

  constructor(token: Pick<SessionToken, 'workerKey' | 'keyId' | 'secret'>, random: RandomBytes) {
    this.#workerKey = token.workerKey;
    this.#keyId = token.keyId;
    this.#random = random;
    this.#exchangeId = random(EXCHANGE_ID_BYTES);
    this.#sealKey = directionKey(token.secret, token.workerKey, this.#exchangeId, 'to-worker');
    this.#openKey = directionKey(token.secret, token.workerKey, this.#exchangeId, 'to-visitor');
    this.#sent = new Transcript(this.#exchangeId, 'to-worker');
    this.#received = new Transcript(this.#exchangeId, 'to-visitor');
  }

  seal(bytes: Uint8Array): Uint8Array {
    this.#sent.checkRoom();
    const nonce = this.#random(NONCE_BYTES);
    const header = visitorHeader({
      keyId: this.#keyId,
      exchangeId: this.#exchangeId,
      sequence: this.#sent.count,
      nonce,
    });
    const ciphertext = encrypt(this.#sealKey, nonce, header, bytes);
    const envelope = checkEnvelopeSize(concatBytes(header, ciphertext));
    this.#sent.append(envelope);
    this.#firstEnvelope ??= envelope.slice();
    return envelope;
  }

  open(bytes: Uint8Array): OpenedFromWorker {
    const envelope = readWorkerEnvelope(bytes);
    if (!equalBytes(envelope.exchangeId, this.#exchangeId)) throw interference('an envelope is of another exchange');
    if (envelope.kind === 'refusal') throw this.#refusal(envelope);
    this.#checkOrder(envelope);
    this.#checkSignature(envelope);
    const opened = decrypt(this.#openKey, envelope.nonce, envelope.header, envelope.ciphertext);
    this.#received.append(bytes);
    this.#seen = envelope.seen;
    return { bytes: opened, seen: envelope.seen };
  }

  #checkOrder(envelope: WorkerEnvelope): void {
    this.#received.checkRoom();
    if (envelope.sequence !== this.#received.count)
      throw interference('an envelope was dropped, repeated or reordered');
    if (envelope.seen < this.#seen) throw interference('an envelope forgets what the worker saw before');
  }

  /** The signature binds the answer to the very offer that this visitor made: several visitors may hold one token. */
  #checkSignature(envelope: WorkerEnvelope): void {
    const seenChain = this.#sent.after(envelope.seen);
    if (seenChain === undefined) throw interference('an envelope answers what was never sent');
    const text = signedText(seenChain, this.#received.latest, envelope);
    if (verifySignature(this.#workerKey, text, envelope.signature)) return;
    throw interference('an envelope is not signed by the worker for this exchange');
  }

  /** The worker's error once it is proved to be the worker's. */
  #refusal(envelope: RefusalEnvelope): ModelRtcError {
    if (this.#firstEnvelope === undefined) return interference('an envelope answers what was never sent');
    if (!verifySignature(this.#workerKey, refusalText(this.#firstEnvelope, envelope), envelope.signature)) {
      return interference('a refusal is not signed by the worker for this exchange');
    }
    const parsed = errorDataSchema.safeParse(unpackValue(envelope.error));
    if (parsed.success) return ModelRtcError.fromData(parsed.data);
    return new ModelRtcError(
      'refused',
      'The worker refused the connection for a reason that this version does not know.',
    );
  }
}
