import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import {
  createVisitorSeal,
  createWorkerSeal,
  decodeExchange,
  encodeExchange,
  identityFromSeed,
  refuseEnvelope,
  type VisitorSeal,
  type WorkerSeal,
} from '../../src/index.ts';
import { failureOf } from '../support/outcome.ts';

const identity = identityFromSeed(new Uint8Array(32).fill(1));
const token = { workerKey: identity.publicKey, keyId: new Uint8Array(8).fill(2), secret: new Uint8Array(16).fill(3) };
const lookup = () => token.secret;
const text = (words: string) => new TextEncoder().encode(words);
const sdp = (fingerprint: string) => `v=0\r\na=fingerprint:sha-256 ${fingerprint}\r\n`;
const offerOf = (fingerprint: string) =>
  encodeExchange({ type: 'offer', lane: 0, engine: 'werift', sdp: sdp(fingerprint) });
const answerOf = (fingerprint: string) => encodeExchange({ type: 'answer', lane: 0, sdp: sdp(fingerprint) });

/** One exchange under way, with what the server in between has seen of it. */
function exchange(): { visitor: VisitorSeal; worker: WorkerSeal; offer: Uint8Array; answer: Uint8Array } {
  const visitor = createVisitorSeal({ token });
  const offer = visitor.seal(offerOf('VISITOR'));
  const worker = createWorkerSeal({ identity, firstEnvelope: offer, lookup });
  return { visitor, worker, offer, answer: worker.seal(answerOf('WORKER')) };
}

function expectInterference(action: () => unknown): void {
  const error = failureOf(action);
  expect([error.code, error.message]).toEqual([
    'refused',
    expect.stringMatching(/signaling server may be interfering/),
  ]);
}

const change = fc.record({ at: fc.nat(), bits: fc.integer({ min: 1, max: 255 }) });

function changed(bytes: Uint8Array, { at, bits }: { at: number; bits: number }): Uint8Array {
  const copy = bytes.slice();
  copy[at % copy.length] = (copy[at % copy.length] as number) ^ bits;
  return copy;
}

describe('a signaling server that does not know the secret', () => {
  it('cannot change a bit of what the worker says', () => {
    const { visitor, answer } = exchange();
    fc.assert(
      fc.property(change, (where) => expectInterference(() => visitor.open(changed(answer, where)))),
      { numRuns: runs(200) },
    );
    expect(decodeExchange(visitor.open(answer).bytes)).toMatchObject({ sdp: sdp('WORKER') });
  });

  it('cannot change a bit of what the visitor says', () => {
    const { visitor, worker } = exchange();
    const candidate = visitor.seal(text('a candidate'));
    fc.assert(fc.property(change, (where) => expectInterference(() => worker.open(changed(candidate, where)))));
    expect(worker.open(candidate)).toEqual(text('a candidate'));
  });

  it('cannot change a bit of the offer: it is refused, or taken for that of an unknown token', () => {
    const { offer } = exchange();
    const onlyOurs = (keyId: string) => (keyId === '0202020202020202' ? token.secret : undefined);
    fc.assert(
      fc.property(change, (where) => {
        const firstEnvelope = changed(offer, where);
        expect(failureOf(() => createWorkerSeal({ identity, firstEnvelope, lookup: onlyOurs })).code).toBe('refused');
      }),
    );
  });

  it('cannot cut off or lengthen an envelope', () => {
    const { visitor, worker, answer } = exchange();
    const candidate = visitor.seal(text('a candidate'));
    for (let length = 0; length < answer.length; length++)
      expectInterference(() => visitor.open(answer.subarray(0, length)));
    for (let length = 0; length < candidate.length; length++) {
      expectInterference(() => worker.open(candidate.subarray(0, length)));
    }
    expectInterference(() => visitor.open(Uint8Array.of(...answer, 0)));
    expectInterference(() => worker.open(Uint8Array.of(...candidate, 0)));
    expectInterference(() => visitor.open(new Uint8Array(70_000).fill(1)));
  });

  it('cannot repeat an envelope', () => {
    const { visitor, worker, offer, answer } = exchange();
    visitor.open(answer);
    expectInterference(() => visitor.open(answer));
    expectInterference(() => worker.open(offer));
  });

  it('cannot drop an envelope and go on with the next', () => {
    const { visitor, worker, answer } = exchange();
    const next = worker.seal(text('a candidate'));
    expectInterference(() => visitor.open(next));
    visitor.seal(text('dropped'));
    const later = visitor.seal(text('later'));
    expectInterference(() => worker.open(later));
    expect(visitor.open(answer).seen).toBe(1);
    expect(visitor.open(next).seen).toBe(1);
  });

  it('cannot send an envelope back to its maker', () => {
    const { visitor, worker, offer, answer } = exchange();
    expectInterference(() => visitor.open(offer));
    expectInterference(() => worker.open(answer));
  });

  it('cannot bring in an envelope of another exchange, also not one with the same token', () => {
    const ours = exchange();
    const other = exchange();
    const further = other.visitor.seal(text('of another'));
    expectInterference(() => ours.visitor.open(other.answer));
    expectInterference(() => ours.worker.open(further));
    expectInterference(() => ours.worker.open(other.offer));
  });

  it('cannot refuse in the name of the worker, nor use the refusal of another exchange', () => {
    const ours = exchange();
    const error = { code: 'token_revoked', message: 'The session token was revoked.' } as const;
    const stranger = identityFromSeed(new Uint8Array(32).fill(9));
    expectInterference(() =>
      ours.visitor.open(refuseEnvelope({ identity: stranger, firstEnvelope: ours.offer, error })),
    );
    const other = refuseEnvelope({ identity, firstEnvelope: exchange().offer, error });
    expectInterference(() => ours.visitor.open(other));
    const moved = Uint8Array.of(...other.subarray(0, 2), ...ours.offer.subarray(10, 26), ...other.subarray(18));
    expectInterference(() => ours.visitor.open(moved));
  });

  it('changes nothing with what is refused: the true envelopes still pass', () => {
    const { visitor, worker, offer, answer } = exchange();
    for (const envelope of [offer, answer.subarray(1), new Uint8Array()])
      expectInterference(() => visitor.open(envelope));
    visitor.open(answer);
    const candidate = visitor.seal(text('a candidate'));
    for (const envelope of [offer, answer, new Uint8Array(500)]) expectInterference(() => worker.open(envelope));
    expect(worker.open(candidate)).toEqual(text('a candidate'));
  });
});

describe('a signaling server that knows the secret of the token, but not the identity key', () => {
  const forger = { publicKey: identity.publicKey, sign: identityFromSeed(new Uint8Array(32).fill(7)).sign };

  it('cannot answer the offer itself', () => {
    const { visitor, offer } = exchange();
    const inTheMiddle = createWorkerSeal({ identity: forger, firstEnvelope: offer, lookup });
    expect(decodeExchange(inTheMiddle.first)).toMatchObject({ sdp: sdp('VISITOR') });
    expectInterference(() => visitor.open(inTheMiddle.seal(answerOf('SERVER'))));
  });

  it("cannot swap the fingerprint of the offer: the worker's answer is bound to the true one", () => {
    const visitor = createVisitorSeal({ token });
    const offer = visitor.seal(offerOf('VISITOR'));
    // The exchange id of the visitor, so that nothing but the offer differs.
    const random = (length: number) => (length === 16 ? offer.slice(10, 26) : new Uint8Array(length));
    const swapped = createVisitorSeal({ token, random }).seal(offerOf('SERVER'));
    const worker = createWorkerSeal({ identity, firstEnvelope: swapped, lookup });
    expect(decodeExchange(worker.first)).toMatchObject({ sdp: sdp('SERVER') });
    expectInterference(() => visitor.open(worker.seal(answerOf('WORKER'))));
  });

  it('cannot offer in its own name and pass the answer on', () => {
    const visitor = createVisitorSeal({ token });
    visitor.seal(offerOf('VISITOR'));
    expectInterference(() => visitor.open(exchange().answer));
  });

  it('cannot slip in a candidate between those of the visitor', () => {
    const visitor = createVisitorSeal({ token });
    const offer = visitor.seal(offerOf('VISITOR'));
    const worker = createWorkerSeal({ identity, firstEnvelope: offer, lookup });
    visitor.open(worker.seal(answerOf('WORKER')));
    const random = (length: number) => (length === 16 ? offer.slice(10, 26) : new Uint8Array(length).fill(4));
    const double = createVisitorSeal({ token, random });
    double.seal(offerOf('VISITOR'));
    worker.open(double.seal(text('a candidate of the server')));
    visitor.seal(text('a candidate of the visitor'));
    expectInterference(() => visitor.open(worker.seal(text('more'))));
  });

  it("cannot change the worker's answer and keep its signature", () => {
    const { visitor, offer, answer } = exchange();
    const inTheMiddle = createWorkerSeal({ identity: forger, firstEnvelope: offer, lookup });
    const forged = inTheMiddle.seal(answerOf('SERVER'));
    forged.set(answer.subarray(38, 102), 38);
    expectInterference(() => visitor.open(forged));
  });

  it('cannot claim that the worker saw less, or more, than it signed for', () => {
    const { visitor, answer } = exchange();
    visitor.seal(text('second'));
    for (const seen of [0, 2, 3, 0xffff_ffff]) {
      const claimed = answer.slice();
      new DataView(claimed.buffer).setUint32(22, seen);
      expectInterference(() => visitor.open(claimed));
    }
  });
});

describe('a token of another worker', () => {
  it('opens nothing, though the secret is the same', () => {
    const stranger = identityFromSeed(new Uint8Array(32).fill(5));
    const firstEnvelope = createVisitorSeal({ token }).seal(offerOf('VISITOR'));
    expect(failureOf(() => createWorkerSeal({ identity: stranger, firstEnvelope, lookup })).code).toBe('refused');
  });
});
