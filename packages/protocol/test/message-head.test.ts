import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeMessage, packValue, readMessageHead } from '../src/index.ts';
import { messageArbitrary } from './support/message-arbitrary.ts';

describe('readMessageHead', () => {
  it('tells what a message is from its first bytes', () => {
    const request = encodeMessage({
      type: 'request',
      id: 70_000,
      method: 'push_model',
      params: { a: 'x'.repeat(900) },
    });
    const head = { type: 'request', id: 70_000, method: 'push_model' };
    expect(readMessageHead(request)).toEqual(head);
    expect(readMessageHead(request.subarray(0, 64))).toEqual(head);
  });

  it('takes the keys in any order, and stops at the first other one', () => {
    expect(readMessageHead(packValue({ method: 'm', id: 300, type: 'request', params: {} }))).toEqual({
      type: 'request',
      id: 300,
      method: 'm',
    });
    expect(readMessageHead(packValue({ type: 'request', params: {}, id: 1 }))).toEqual({
      type: 'request',
      id: undefined,
      method: undefined,
    });
    expect(readMessageHead(packValue({ params: {}, type: 'request' }))).toBeUndefined();
  });

  it('agrees with the decoder about every message that we send', () => {
    fc.assert(
      fc.property(messageArbitrary, (sent) => {
        const { id, method } = sent as { id?: number; method?: string };
        const head = readMessageHead(encodeMessage(sent));
        expect(head).toMatchObject({ type: sent.type });
        if (sent.type === 'request' && new TextEncoder().encode(method).length <= 64) {
          expect(head).toEqual({ type: 'request', id, method: method });
        }
      }),
    );
  });

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const head = readMessageHead(bytes);
        expect(['undefined', 'string']).toContain(typeof head?.type);
      }),
    );
  });
});
