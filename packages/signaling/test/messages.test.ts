import { describe, expect, it } from '@jest/globals';
import { fromBase64Url, toBase64Url } from '@model-rtc/protocol';
import fc from 'fast-check';
import { MAX_PAYLOAD_CHARS } from '../src/limits.ts';
import { parseClientMessage, parseServerMessage } from '../src/messages.ts';

const room = toBase64Url(new Uint8Array(32));

describe('the messages of signaling', () => {
  it('are understood with fields that this version does not know', () => {
    const text = JSON.stringify({ type: 'visit', room, later: { version: 2 } });
    expect(parseClientMessage(text)).toEqual({ message: { type: 'visit', room } });
  });

  it.each([
    ['text that is not JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['an unknown type', '{"type":"become_root"}'],
    ['a missing field', '{"type":"visit"}'],
    ['a room that is no hash', '{"type":"visit","room":"kitchen"}'],
    ['a payload that is not base64url', '{"type":"send","payload":"a+b="}'],
    ['a payload of an impossible length', '{"type":"send","payload":"aaaaa"}'],
    ['a payload with unused bits set', '{"type":"send","payload":"-_"}'],
    ['a payload that is too long', JSON.stringify({ type: 'send', payload: 'A'.repeat(MAX_PAYLOAD_CHARS + 2) })],
    ['a prototype in place of fields', '{"__proto__":{"type":"ping"}}'],
    ['nesting without end', '['.repeat(300_000)],
    ['deep nesting that ends', '['.repeat(100_000) + ']'.repeat(100_000)],
  ])('are refused with a reason, and without an exception: %s', (_, text) => {
    expect(parseClientMessage(text)).toEqual({ problem: expect.any(String) });
  });

  it('take every payload that the codec of protocol writes, and none that it would not read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const payload = toBase64Url(bytes);
        expect(parseClientMessage(JSON.stringify({ type: 'send', payload }))).toEqual({
          message: { type: 'send', payload },
        });
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[\w-]{0,12}$/), (payload) => {
        const parsed = parseClientMessage(JSON.stringify({ type: 'send', payload }));
        if ('message' in parsed) expect(fromBase64Url(payload)).toBeInstanceOf(Uint8Array);
        else expect(() => fromBase64Url(payload)).toThrow();
      }),
    );
  });

  it('let a newer server say more than this client understands', () => {
    expect(parseServerMessage('{"type":"weather","sun":true}')).toBeUndefined();
    expect(parseServerMessage('{"type":"gone"}')).toEqual({ problem: expect.any(String) });
    expect(parseServerMessage('nonsense')).toEqual({ problem: expect.any(String) });
  });
});
