import { equalBytes } from '@noble/ciphers/utils.js';
import { concatBytes, randomBytes } from '@noble/hashes/utils.js';
import { packValue, unpackValue } from '../codec.ts';
import { type ErrorData, ModelRtcError } from '../errors.ts';
import { type Identity, verifySignature } from '../identity.ts';
import { errorDataSchema } from '../messages.ts';
import { keyIdText, type SessionToken } from '../session-token.ts';
import {
  checkEnvelopeSize,
  EXCHANGE_ID_BYTES,
  exchangeIdOf,
  interference,
  type RefusalEnvelope,
  readVisitorEnvelope,
  readWorkerEnvelope,
  refusalHeader,
  type VisitorEnvelope,
  visitorHeader,
  type WorkerEnvelope,
  workerHeader,
} from './envelope.ts';
import { type RandomBytes, refusalText, signedText } from './key-schedule.ts';
import { SealedSide } from './sealed-side.ts';

/** The content of an envelope from the worker. */
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

/** The worker's end of one sealed exchange. An envelope that is refused changes nothing. */
export interface WorkerSeal {
  /** The token that the visitor holds, as 16 hex characters. */
  readonly keyId: string;
  /** The content of the visitor's first envelope. */
  readonly first: Uint8Array;
  /** The next envelope to the visitor, signed over everything received and sent so far. */
  seal(bytes: Uint8Array): Uint8Array;
  /** @throws ModelRtcError `refused` when the envelope was changed, repeated, dropped before, or taken from elsewhere. */
  open(envelope: Uint8Array): Uint8Array;
}

/**
 * Opens the first envelope of a visitor.
 * @param options.lookup the secret of a token by its key id; an error that it throws (a revoked token) is passed on.
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
  return new Worker(options.identity, options.firstEnvelope, first, { secret, random: options.random ?? randomBytes });
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

class Visitor implements VisitorSeal {
  readonly #workerKey: Uint8Array;
  readonly #keyId: Uint8Array;
  readonly #side: SealedSide;
  #firstEnvelope: Uint8Array | undefined;
  /** The `seen` of the latest envelope: the worker never forgets what it saw. */
  #seen = 1;

  constructor({ workerKey, keyId, secret }: Pick<SessionToken, 'workerKey' | 'keyId' | 'secret'>, random: RandomBytes) {
    this.#workerKey = workerKey;
    this.#keyId = keyId;
    const exchangeId = random(EXCHANGE_ID_BYTES);
    this.#side = new SealedSide({ secret, workerKey, exchangeId, random, sends: 'to-worker' });
  }

  seal(bytes: Uint8Array): Uint8Array {
    const { exchangeId } = this.#side;
    const envelope = this.#side.seal(bytes, ({ sequence, nonce }) =>
      visitorHeader({ keyId: this.#keyId, exchangeId, sequence, nonce }),
    );
    this.#firstEnvelope ??= envelope.slice();
    return envelope;
  }

  open(bytes: Uint8Array): OpenedFromWorker {
    const envelope = readWorkerEnvelope(bytes);
    if (!equalBytes(envelope.exchangeId, this.#side.exchangeId))
      throw interference('an envelope is of another exchange');
    if (envelope.kind === 'refusal') throw this.#refusal(envelope);
    this.#side.checkOrder(envelope);
    if (envelope.seen < this.#seen) throw interference('an envelope forgets what the worker saw before');
    this.#checkSignature(envelope);
    const opened = this.#side.open(envelope, bytes);
    this.#seen = envelope.seen;
    return { bytes: opened, seen: envelope.seen };
  }

  /** The signature binds the answer to the very offer that this visitor made: several visitors may hold one token. */
  #checkSignature(envelope: WorkerEnvelope): void {
    const seenChain = this.#side.sent.after(envelope.seen);
    if (seenChain === undefined) throw interference('an envelope answers what was never sent');
    const text = signedText(seenChain, this.#side.received.latest, envelope);
    if (verifySignature(this.#workerKey, text, envelope.signature)) return;
    throw interference('an envelope is not signed by the worker for this exchange');
  }

  /** The worker's error, once its signature proves that it comes from the worker. */
  #refusal(envelope: RefusalEnvelope): ModelRtcError {
    if (this.#firstEnvelope === undefined) return interference('an envelope answers what was never sent');
    if (!verifySignature(this.#workerKey, refusalText(this.#firstEnvelope, envelope), envelope.signature)) {
      return interference('a refusal is not signed by the worker for this exchange');
    }
    const parsed = errorDataSchema.safeParse(unpackValue(envelope.error));
    if (parsed.success) return ModelRtcError.fromData(parsed.data);
    return new ModelRtcError(
      'refused',
      'The worker refused the connection for a reason that this version does not know. Upgrade model-rtc on this machine.',
    );
  }
}

class Worker implements WorkerSeal {
  readonly keyId: string;
  readonly first: Uint8Array;
  readonly #identity: Identity;
  readonly #side: SealedSide;

  constructor(
    identity: Identity,
    firstEnvelope: Uint8Array,
    { keyId, exchangeId }: VisitorEnvelope,
    { secret, random }: { readonly secret: Uint8Array; readonly random: RandomBytes },
  ) {
    this.keyId = keyIdText(keyId);
    this.#identity = identity;
    const { publicKey: workerKey } = identity;
    this.#side = new SealedSide({ secret, workerKey, exchangeId: exchangeId.slice(), random, sends: 'to-visitor' });
    this.first = this.#openFirst(firstEnvelope);
  }

  seal(bytes: Uint8Array): Uint8Array {
    const { exchangeId, sent, received } = this.#side;
    return this.#side.seal(
      bytes,
      ({ sequence, nonce }) => workerHeader({ exchangeId, sequence, seen: received.count, nonce }),
      (sealed) => this.#identity.sign(signedText(received.latest, sent.latest, sealed)),
    );
  }

  open(bytes: Uint8Array): Uint8Array {
    const envelope = readVisitorEnvelope(bytes);
    const isOurs = keyIdText(envelope.keyId) === this.keyId && equalBytes(envelope.exchangeId, this.#side.exchangeId);
    if (!isOurs) throw interference('an envelope is of another exchange');
    this.#side.checkOrder(envelope);
    return this.#side.open(envelope, bytes);
  }

  /** Nothing came before that shows that both sides have the same keys: another one is as likely as a change on the way. */
  #openFirst(bytes: Uint8Array): Uint8Array {
    const envelope = readVisitorEnvelope(bytes);
    this.#side.checkOrder(envelope);
    try {
      return this.#side.open(envelope, bytes);
    } catch (cause) {
      throw otherKeyError(cause);
    }
  }
}

function otherKeyError(cause: unknown): ModelRtcError {
  return new ModelRtcError(
    'refused',
    'The worker cannot open the first message with the secret of its session token: the client derived another key, or the signaling server changed the message. Try again; if it keeps happening, get a new session token, or one for another signaling server.',
    { cause },
  );
}
