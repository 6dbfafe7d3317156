import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { identityFromSeed, roomOf } from '@model-rtc/protocol';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import { type SignalingServer, startSignalingServer } from '../../src/server/start-signaling-server.ts';
import { dialAsVisitor, dialAsWorker, RawClient, rawExchange } from '../support/raw-client.ts';

const identity = identityFromSeed(new Uint8Array(32).fill(4));
const room = roomOf(identity.publicKey);
let server: SignalingServer;
beforeAll(async () => {
  server = await startSignalingServer({ host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());

/** Messages that are nearly right are likelier to get far than noise. */
const nearlyRight = fc.record(
  {
    type: fc.constantFrom('register', 'visit', 'send', 'end', 'ping', 'pong', 'constructor'),
    room: fc.oneof(fc.constant(room), fc.string()),
    payload: fc.oneof(fc.base64String(), fc.anything()),
    visitor: fc.oneof(fc.string(), fc.constant('__proto__')),
    publicKey: fc.oneof(fc.stringMatching(/^[\w-]{43}$/), fc.constant('A'.repeat(43))),
    signature: fc.oneof(fc.stringMatching(/^[\w-]{86}$/), fc.constant('A'.repeat(86))),
    host: fc.oneof(fc.string(), fc.constantFrom('127.0.0.1', '[::1]', 'localhost:1', '[', '%')),
    instance: fc.oneof(fc.string(), fc.constant('instance-1')),
  },
  { requiredKeys: ['type'] },
);
const frame: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  fc.string(),
  fc.json(),
  fc.uint8Array({ maxLength: 2000 }),
  nearlyRight.map((message) => JSON.stringify(message)),
);

async function servesOthers(): Promise<void> {
  const worker = await dialAsWorker(server.port, identity);
  const visitor = await dialAsVisitor(server.port, room);
  visitor.say({ type: 'send', payload: 'AAAA' });
  expect(await worker.hear('from')).toMatchObject({ payload: 'AAAA' });
  visitor.close();
  worker.close();
  await Promise.all([visitor.closed, worker.closed]);
}

describe('a signaling server that is sent nonsense', () => {
  it('answers or ends the connection, and goes on serving others', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 8 }), async (frames) => {
        const client = await RawClient.dial(server.port);
        for (const data of frames) client.socket.send(data);
        // A pong shows that it was taken; the end of the connection that it was not.
        client.say({ type: 'ping' });
        await Promise.race([client.hear('pong').catch(() => {}), client.closed]);
        client.close();
        await client.closed;
      }),
      { numRuns: runs(150) },
    );
    await servesOthers();
  }, 60_000);

  it('survives broken WebSocket frames', async () => {
    const head =
      'GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    const broken = [
      // Not masked; a reserved bit; an unknown opcode; a length of 2^63; text that is not UTF-8; a fragmented control frame.
      '\u0001\u0005hello',
      '\u00c1\u0080\u0000\u0000\u0000\u0000',
      '\u0083\u0080\u0000\u0000\u0000\u0000',
      `\u0081\u00ff${'\u00ff'.repeat(8)}\u0000\u0000\u0000\u0000`,
      '\u0081\u0082\u0000\u0000\u0000\u0000\u00ff\u00ff',
      '\u0009\u0080\u0000\u0000\u0000\u0000',
    ];
    for (const bytes of broken)
      expect(await rawExchange(server.port, Buffer.from(head + bytes, 'latin1'))).toContain(' 101 ');
    await servesOthers();
  });

  it('survives bytes that are no HTTP', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 500 }), async (bytes) => {
        const text = Buffer.concat([bytes, Buffer.from('\r\n\r\n')]);
        expect(await rawExchange(server.port, text)).not.toContain(' 101 ');
      }),
      { numRuns: runs(60) },
    );
    await servesOthers();
  }, 60_000);
});
