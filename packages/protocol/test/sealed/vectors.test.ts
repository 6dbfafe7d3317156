import { createDecipheriv, createHash, createPublicKey, hkdfSync, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  createVisitorSeal,
  createWorkerSeal,
  identityFromSeed,
  type VisitorSeal,
  type WorkerSeal,
} from '../../src/index.ts';
import { failureOf } from '../support/outcome.ts';
import { fromHex, toHex } from '../vectors/bytes.ts';
import type { sealedVectors } from '../vectors/sealed.ts';

type Vectors = ReturnType<typeof sealedVectors>;
const vectors = JSON.parse(readFileSync(new URL('../../vectors/sealed.json', import.meta.url), 'utf8')) as Vectors;
const workerKey = fromHex(vectors.workerKey);
const secret = fromHex(vectors.secret);
const exchangeId = fromHex(vectors.exchangeId);

/** Both ends after the first `count` steps. Nonces come from the envelopes, so that the ends give the same bytes again. */
function endsAfter(count: number): { visitor: VisitorSeal; worker: WorkerSeal | undefined } {
  const steps = vectors.steps.slice(0, count);
  const noncesOf = (from: string, at: number) =>
    vectors.steps.filter((step) => step.from === from).map((step) => fromHex(step.envelope).slice(at, at + 12));
  const [visitorNonces, workerNonces] = [noncesOf('visitor', 30), noncesOf('worker', 26)];
  const token = { workerKey, keyId: fromHex(vectors.keyId), secret };
  const visitor = createVisitorSeal({
    token,
    random: (length) => (length === 16 ? exchangeId : (visitorNonces.shift() as Uint8Array)),
  });
  const identity = identityFromSeed(fromHex(vectors.workerSeed));
  const random = () => workerNonces.shift() as Uint8Array;
  let worker: WorkerSeal | undefined;
  for (const { from, plaintext, envelope, seen } of steps) {
    if (from === 'worker') {
      expect(toHex((worker as WorkerSeal).seal(fromHex(plaintext)))).toBe(envelope);
      expect(visitor.open(fromHex(envelope))).toEqual({ bytes: fromHex(plaintext), seen });
      continue;
    }
    const sealed = visitor.seal(fromHex(plaintext));
    expect(toHex(sealed)).toBe(envelope);
    if (worker !== undefined) expect(toHex(worker.open(sealed))).toBe(plaintext);
    worker ??= createWorkerSeal({ identity, firstEnvelope: sealed, lookup: () => secret, random });
  }
  return { visitor, worker };
}

describe('sealed.json', () => {
  it('is what both ends give and take', () => {
    expect(endsAfter(vectors.steps.length).worker?.keyId).toBe(vectors.keyId);
  });

  it.each(vectors.refused)('is refused: $name', ({ after, receiver, envelope }) => {
    const end = endsAfter(after)[receiver];
    expect(failureOf(() => end?.open(fromHex(envelope))).code).toBe('refused');
  });

  it('has a refusal that the visitor takes as the error of the worker', () => {
    const { visitor } = endsAfter(1);
    expect(failureOf(() => visitor.open(fromHex(vectors.refusal.envelope))).toData()).toEqual(vectors.refusal.error);
  });
});

/** What docs/protocol.md says, written a second time with the platform's cryptography and none of our code. */
describe('sealed.json, read with OpenSSL by the documented layout', () => {
  const key = (direction: number) => {
    const info = Buffer.concat([Buffer.from('model-rtc/1/sealed/key\0'), Uint8Array.of(direction), exchangeId]);
    return new Uint8Array(hkdfSync('sha256', secret, workerKey, info, 32));
  };
  const chain = (direction: number, envelopes: Uint8Array[]) => {
    const start = [Buffer.from('model-rtc/1/sealed/chain\0'), Uint8Array.of(direction), exchangeId];
    let hash = createHash('sha256').update(Buffer.concat(start)).digest();
    for (const envelope of envelopes) hash = createHash('sha256').update(hash).update(envelope).digest();
    return hash;
  };
  const open = (aesKey: Uint8Array, nonce: Uint8Array, header: Uint8Array, sealed: Uint8Array) => {
    const decipher = createDecipheriv('aes-256-gcm', aesKey, nonce).setAAD(header).setAuthTag(sealed.subarray(-16));
    return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString('hex');
  };
  const sent = (from: string) =>
    vectors.steps.filter((step) => step.from === from).map((step) => fromHex(step.envelope));
  const publicKey = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(workerKey).toString('base64url') },
    format: 'jwk',
  });

  it('has the keys of HKDF-SHA256', () => {
    expect({ toWorker: toHex(key(1)), toVisitor: toHex(key(2)) }).toEqual(vectors.keys);
  });

  it('opens every envelope of the visitor', () => {
    const plaintexts = vectors.steps.filter((step) => step.from === 'visitor').map((step) => step.plaintext);
    const opened = sent('visitor').map((envelope, sequence) => {
      expect(Buffer.from(envelope.subarray(0, 30)).toString('hex')).toBe(
        `0101${vectors.keyId}${vectors.exchangeId}${String(sequence).padStart(8, '0')}`,
      );
      return open(key(1), envelope.subarray(30, 42), envelope.subarray(0, 42), envelope.subarray(42));
    });
    expect(opened).toEqual(plaintexts);
  });

  it('opens every envelope of the worker and verifies its signature over the exchange so far', () => {
    const worker = sent('worker');
    const steps = vectors.steps.filter((step) => step.from === 'worker');
    for (const [sequence, envelope] of worker.entries()) {
      const { plaintext, seen = 0 } = steps[sequence] as (typeof steps)[number];
      const [header, signature, sealed] = [
        envelope.subarray(0, 38),
        envelope.subarray(38, 102),
        envelope.subarray(102),
      ];
      expect(open(key(2), header.subarray(26, 38), header, sealed)).toBe(plaintext);
      const text = Buffer.concat([
        Buffer.from('model-rtc/1/sealed/signature\0'),
        chain(1, sent('visitor').slice(0, seen)),
        chain(2, worker.slice(0, sequence)),
        header,
        sealed,
      ]);
      expect(verify(undefined, text, publicKey, signature)).toBe(true);
    }
  });

  it('verifies the signature of the refusal', () => {
    const envelope = fromHex(vectors.refusal.envelope);
    const firstHash = createHash('sha256')
      .update(sent('visitor')[0] as Uint8Array)
      .digest();
    const domain = Buffer.from('model-rtc/1/sealed/refusal\0');
    const text = Buffer.concat([domain, firstHash, envelope.subarray(0, 18), envelope.subarray(82)]);
    expect(verify(undefined, text, publicKey, envelope.subarray(18, 82))).toBe(true);
  });
});
