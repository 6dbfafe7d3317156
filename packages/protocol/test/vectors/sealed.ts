import { createVisitorSeal, createWorkerSeal, identityFromSeed, keyIdText, refuseEnvelope } from '../../src/index.ts';
import { directionKey } from '../../src/sealed/key-schedule.ts';
import { counting, toHex, turned } from './bytes.ts';

type Receiver = 'visitor' | 'worker';

const seed = counting(32, 0x10);
const identity = identityFromSeed(seed);
const token = { workerKey: identity.publicKey, keyId: counting(8, 0x40), secret: counting(16, 0x80) };
const exchangeId = counting(16, 0xc0);
const text = (words: string) => new TextEncoder().encode(words);

/** Gives the exchange id first, then nonces that are told apart by their first byte. */
function fixedRandom(first: number) {
  let calls = 0;
  return (length: number) => (length === 16 ? exchangeId : counting(length, first + calls++));
}

export interface Step {
  from: Receiver;
  plaintext: string;
  envelope: string;
  /** How many of the visitor's envelopes the worker had processed. */
  seen?: number;
}

function exchange() {
  const visitor = createVisitorSeal({ token, random: fixedRandom(0x20) });
  const steps: Step[] = [];
  const fromVisitor = (words: string) => {
    const envelope = visitor.seal(text(words));
    steps.push({ from: 'visitor', plaintext: toHex(text(words)), envelope: toHex(envelope) });
    return envelope;
  };
  const first = fromVisitor('the offer');
  const worker = createWorkerSeal({
    identity,
    firstEnvelope: first,
    lookup: () => token.secret,
    random: fixedRandom(0x60),
  });
  const fromWorker = (words: string, seen: number) => {
    const envelope = worker.seal(text(words));
    steps.push({ from: 'worker', plaintext: toHex(text(words)), envelope: toHex(envelope), seen });
    return envelope;
  };
  const answer = fromWorker('the answer', 1);
  const candidate = fromVisitor('a candidate of the visitor');
  worker.open(candidate);
  const late = fromWorker('a candidate of the worker', 2);
  const empty = fromVisitor('');
  return { steps, first, answer, candidate, late, empty };
}

/** Another visitor with the same token, and what the same worker answers it. */
function otherExchange() {
  const otherId = counting(16, 0x01);
  const random = (length: number) => (length === 16 ? otherId : counting(length, 0x90));
  const visitor = createVisitorSeal({ token, random });
  const first = visitor.seal(text('the offer'));
  const worker = createWorkerSeal({ identity, firstEnvelope: first, lookup: () => token.secret, random });
  return { first, second: visitor.seal(text('more')), answer: worker.seal(text('the answer')) };
}

/** What a token holder without the worker's identity key can answer. */
function forgedAnswer(first: Uint8Array): Uint8Array {
  const forger = { publicKey: identity.publicKey, sign: identityFromSeed(counting(32, 0x77)).sign };
  const lookup = () => token.secret;
  return createWorkerSeal({ identity: forger, firstEnvelope: first, lookup, random: fixedRandom(0x60) }).seal(
    text('the answer'),
  );
}

export function sealedVectors() {
  const { steps, first, answer, candidate, late, empty } = exchange();
  const other = otherExchange();
  const error = { code: 'token_expired', message: 'The session token expired; ask for a new one.' } as const;
  const refusal = refuseEnvelope({ identity, firstEnvelope: first, error });
  const refused: [string, number, Receiver, Uint8Array][] = [
    ['the answer before it was asked for, to another exchange', 1, 'visitor', other.answer],
    ['the answer twice', 2, 'visitor', answer],
    ['the answer left out', 1, 'visitor', late],
    ['the first envelope twice', 1, 'worker', first],
    ['an envelope of the visitor left out', 2, 'worker', empty],
    ['an envelope of another exchange of the same token', 1, 'worker', other.second],
    ['the first envelope of another exchange', 1, 'worker', other.first],
    ["the visitor's own envelope sent back", 1, 'visitor', first],
    ["the worker's own envelope sent back", 2, 'worker', answer],
    ['an answer by a token holder without the identity key', 1, 'visitor', forgedAnswer(first)],
    ...[0, 1, 5, 21, 25, 30, 40, 101, 102, -1].map((at): [string, number, Receiver, Uint8Array] => [
      `the answer with a bit turned at ${at}`,
      1,
      'visitor',
      turned(answer, at),
    ]),
    ...[0, 1, 5, 12, 29, 35, 42, -1].map((at): [string, number, Receiver, Uint8Array] => [
      `the candidate with a bit turned at ${at}`,
      2,
      'worker',
      turned(candidate, at),
    ]),
    ['the answer cut off', 1, 'visitor', answer.subarray(0, -1)],
    ['the answer without ciphertext', 1, 'visitor', answer.subarray(0, 102)],
    ['nothing', 1, 'visitor', new Uint8Array()],
    ['a refusal with a bit turned', 1, 'visitor', turned(refusal, -1)],
    [
      'a refusal by another key',
      1,
      'visitor',
      refuseEnvelope({ identity: identityFromSeed(counting(32)), firstEnvelope: first, error }),
    ],
    ['a refusal of another exchange', 1, 'visitor', refuseEnvelope({ identity, firstEnvelope: other.first, error })],
  ];
  return {
    description:
      'One sealed exchange, in the order of its steps, with every random value fixed. Bytes are hex. Each of "refused" is ' +
      'given to its receiver after the first "after" steps, and must be refused.',
    workerSeed: toHex(seed),
    workerKey: toHex(identity.publicKey),
    keyId: keyIdText(token.keyId),
    secret: toHex(token.secret),
    exchangeId: toHex(exchangeId),
    keys: {
      toWorker: toHex(directionKey(token.secret, token.workerKey, exchangeId, 'to-worker')),
      toVisitor: toHex(directionKey(token.secret, token.workerKey, exchangeId, 'to-visitor')),
    },
    steps,
    refusal: { envelope: toHex(refusal), error },
    refused: refused.map(([name, after, receiver, envelope]) => ({ name, after, receiver, envelope: toHex(envelope) })),
  };
}
