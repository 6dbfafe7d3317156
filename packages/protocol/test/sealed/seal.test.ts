import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  createVisitorSeal,
  createWorkerSeal,
  identityFromSeed,
  MAX_ENVELOPE_BYTES,
  ModelRtcError,
  refuseEnvelope,
} from '../../src/index.ts';
import { failureOf } from '../support/outcome.ts';

const identity = identityFromSeed(new Uint8Array(32).fill(1));
const token = { workerKey: identity.publicKey, keyId: new Uint8Array(8).fill(2), secret: new Uint8Array(16).fill(3) };
const lookup = (keyId: string) => (keyId === '0202020202020202' ? token.secret : undefined);
const offer = new TextEncoder().encode('the offer');

describe('the sealed exchange', () => {
  it('carries any bytes both ways, in any interleaving, and says how much the worker had seen', () => {
    const step = fc.record({ from: fc.constantFrom('visitor', 'worker'), bytes: fc.uint8Array({ maxLength: 50 }) });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.array(step, { maxLength: 10 }), (first, steps) => {
        const visitor = createVisitorSeal({ token });
        const worker = createWorkerSeal({ identity, firstEnvelope: visitor.seal(first), lookup });
        expect(worker.first).toEqual(first);
        let seen = 1;
        for (const { from, bytes } of steps) {
          if (from === 'visitor') {
            expect(worker.open(visitor.seal(bytes))).toEqual(bytes);
            seen++;
          } else {
            expect(visitor.open(worker.seal(bytes))).toEqual({ bytes, seen });
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  it('lets an answer pass that crossed with what the visitor sent later', () => {
    const visitor = createVisitorSeal({ token });
    const worker = createWorkerSeal({ identity, firstEnvelope: visitor.seal(offer), lookup });
    const late = [visitor.seal(offer), visitor.seal(offer)];
    expect(visitor.open(worker.seal(offer)).seen).toBe(1);
    for (const envelope of late) worker.open(envelope);
    expect(visitor.open(worker.seal(offer)).seen).toBe(3);
  });

  it('shows a server nothing of what it carries, and never the same bytes twice', () => {
    const envelopes = [1, 2].map(() => Buffer.from(createVisitorSeal({ token }).seal(offer)));
    expect(envelopes.every((envelope) => !envelope.includes('the offer'))).toBe(true);
    expect(envelopes.every((envelope) => !envelope.includes(Buffer.from(token.secret)))).toBe(true);
    expect(envelopes[0]?.subarray(10).equals(envelopes[1]?.subarray(10) as Buffer)).toBe(false);
  });

  it('names the token that the visitor holds', () => {
    const worker = createWorkerSeal({ identity, firstEnvelope: createVisitorSeal({ token }).seal(offer), lookup });
    expect(worker.keyId).toBe('0202020202020202');
  });

  it('refuses a token that the worker does not know', () => {
    const other = { ...token, keyId: new Uint8Array(8) };
    const error = failureOf(() =>
      createWorkerSeal({ identity, firstEnvelope: createVisitorSeal({ token: other }).seal(offer), lookup }),
    );
    expect([error.code, error.details?.keyId]).toEqual(['refused', '0000000000000000']);
  });

  it('says of a first envelope under another key that it does not open, not that the server interferes', () => {
    const other = { ...token, secret: new Uint8Array(16).fill(9) };
    const firstEnvelope = createVisitorSeal({ token: other }).seal(offer);
    const error = failureOf(() => createWorkerSeal({ identity, firstEnvelope, lookup }));
    expect(error).toMatchObject({ code: 'refused', message: expect.stringMatching(/derived another key/) });
  });

  it('lets the lookup of a token say why it is refused', () => {
    const revoked = new ModelRtcError('token_revoked', 'The session token was revoked; ask for a new one.');
    const firstEnvelope = createVisitorSeal({ token }).seal(offer);
    const throwing = () => {
      throw revoked;
    };
    expect(failureOf(() => createWorkerSeal({ identity, firstEnvelope, lookup: throwing }))).toBe(revoked);
  });

  it("brings a worker's refusal to the visitor as the worker's own error", () => {
    const visitor = createVisitorSeal({ token });
    const error = { code: 'token_expired', message: 'The session token expired.', details: { keyId: 'x' } } as const;
    const refusal = refuseEnvelope({ identity, firstEnvelope: visitor.seal(offer), error });
    expect(failureOf(() => visitor.open(refusal)).toData()).toEqual(error);
  });

  it('can refuse what is no envelope at all', () => {
    const error = { code: 'malformed_message', message: 'This is no envelope.' } as const;
    for (const length of [0, 5, 20, 100]) {
      const firstEnvelope = new Uint8Array(length).fill(7);
      expect(failureOf(() => createWorkerSeal({ identity, firstEnvelope, lookup })).code).toBe('refused');
      expect(refuseEnvelope({ identity, firstEnvelope, error }).length).toBeGreaterThan(82);
    }
  });

  it('takes what fits into an envelope and no more', () => {
    const visitor = createVisitorSeal({ token });
    const worker = createWorkerSeal({ identity, firstEnvelope: visitor.seal(offer), lookup });
    const most = new Uint8Array(MAX_ENVELOPE_BYTES - 118);
    expect(visitor.open(worker.seal(most)).bytes).toHaveLength(most.length);
    expect(failureOf(() => worker.seal(new Uint8Array(most.length + 1))).code).toBe('bad_argument');
    expect(failureOf(() => visitor.seal(new Uint8Array(MAX_ENVELOPE_BYTES - 57))).code).toBe('bad_argument');
    expect(worker.open(visitor.seal(new Uint8Array(MAX_ENVELOPE_BYTES - 58)))).toHaveLength(MAX_ENVELOPE_BYTES - 58);
  });
});
