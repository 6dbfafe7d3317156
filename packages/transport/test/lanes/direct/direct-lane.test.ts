import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DirectListener } from '../../../src/core/connect/components.ts';
import type { Lane } from '../../../src/core/lane/lane.ts';
import { END_WORD } from '../../../src/lanes/direct/frame-reader.ts';
import { encodeGreeting, WELCOME_BYTES } from '../../../src/lanes/direct/greeting.ts';
import { MAX_MESSAGE_BYTES } from '../../../src/lanes/direct/limits.ts';
import { listenDirect } from '../../../src/lanes/direct/listen.ts';
import { dialTls, type TlsStream } from '../../../src/lanes/direct/tls-stream.ts';
import { laneConformance } from '../../support/lane-conformance.ts';
import { directStage, openLanes } from './lane-stage.ts';

laneConformance('direct (dialled to accepted)', () => directStage('dials'));
laneConformance('direct (accepted to dialled)', () => directStage('listens'));

describe('a direct lane', () => {
  let listener: DirectListener;
  beforeAll(async () => {
    listener = await listenDirect();
  });
  afterAll(async () => listener.close());

  it('takes a frame with 256 KiB of a chunk', async () => {
    const { dialled, accepted } = await openLanes(listener);
    expect([dialled.maxMessageSize, accepted.maxMessageSize]).toEqual([MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES]);
    expect(MAX_MESSAGE_BYTES).toBeGreaterThan(256 * 1024 + 28);
    await Promise.all([dialled.close(), accepted.close()]);
  });

  it('fills the memory of messages that were given back, and no other', async () => {
    const { dialled, accepted } = await openLanes(listener);
    const reader = accepted.messages[Symbol.asyncIterator]();
    const receive = async () => (await reader.next()).value as Uint8Array;
    const first = await sendAndReceive(dialled, receive, 1);
    accepted.recycle(first);
    accepted.recycle(first);
    accepted.recycle(new Uint8Array(100_000));
    const second = await sendAndReceive(dialled, receive, 2);
    const third = await sendAndReceive(dialled, receive, 3);
    expect(second.buffer).toBe(first.buffer);
    expect(third.buffer).not.toBe(first.buffer);
    expect([second[0], third[0], third.byteLength]).toEqual([2, 3, 100_000]);
    await dialled.close();
  });

  it('tells the sender of bulk that something arrives, though no message comes back', async () => {
    const { dialled, accepted } = await openLanes(listener);
    const before = dialled.stats();
    void drain(accepted);
    const message = new Uint8Array(50_000);
    while (dialled.stats().heard === before.heard) await dialled.send(message);
    expect(dialled.stats().receivedBytes).toBe(0);
    await dialled.close();
    await accepted.closed;
  });

  it('counts what arrives in part as heard', async () => {
    const { stream, accepted } = await greet(listener);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(1000);
    stream.socket.write(Buffer.concat([head, Buffer.alloc(10)]));
    while (accepted.stats().heard < 14) await new Promise(setImmediate);
    expect(accepted.stats()).toMatchObject({ heard: 14, receivedBytes: 0 });
    stream.socket.destroy();
    expect(await accepted.closed).toMatchObject({ code: 'network' });
  });

  it('passes over words that it does not know', async () => {
    const { stream, accepted } = await greet(listener);
    stream.socket.write(Buffer.from('ff00000100000001', 'hex'));
    stream.socket.write(Buffer.from([7]));
    const { value } = await accepted.messages[Symbol.asyncIterator]().next();
    expect([...(value as Uint8Array)]).toEqual([7]);
    accepted.abort();
  });

  it.each([MAX_MESSAGE_BYTES + 1, 0xfeff_ffff])('ends with an error when a message of %d bytes comes', async (size) => {
    const { stream, accepted } = await greet(listener);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(size);
    stream.socket.write(head);
    expect(await accepted.closed).toMatchObject({ code: 'malformed_message' });
    await once(stream.socket, 'close');
  });

  it('keeps to the smaller of both limits', async () => {
    const { stream, accepted } = await greet(listener, 5_000);
    expect(accepted.maxMessageSize).toBe(5_000);
    await expect(accepted.send(new Uint8Array(5_001))).rejects.toMatchObject({ code: 'bad_argument' });
    stream.socket.destroy();
  });

  it('answers the end of the other side with its own, and nothing after it', async () => {
    const { stream, accepted } = await greet(listener);
    const received: Uint8Array[] = [];
    stream.onBytes = (bytes) => received.push(Uint8Array.from(bytes));
    const end = Buffer.alloc(4);
    end.writeUInt32BE(END_WORD);
    stream.socket.write(Buffer.concat([end, Buffer.from('garbage after the end')]));
    expect(await accepted.closed).toBeUndefined();
    await once(stream.socket, 'close');
    expect(Buffer.concat(received)).toEqual(end);
  });

  it('is lost when the connection ends without a word', async () => {
    const { stream, accepted } = await greet(listener);
    stream.socket.end();
    expect(await accepted.closed).toMatchObject({ code: 'network', cause: expect.anything() });
  });

  it('gives up an end that the other side does not confirm', async () => {
    const { stream, accepted } = await greet(listener);
    stream.socket.pause();
    await accepted.close();
    expect(await accepted.closed).toMatchObject({ code: 'network' });
    stream.socket.destroy();
  }, 30_000);
});

async function sendAndReceive(from: Lane, receive: () => Promise<Uint8Array>, byte: number): Promise<Uint8Array> {
  await from.send(new Uint8Array(100_000).fill(byte));
  return await receive();
}

async function drain(lane: Lane): Promise<void> {
  for await (const _ of lane.messages);
}

/** The dialling side by hand: everything after the welcome is up to the test. */
async function greet(
  listener: DirectListener,
  maxMessageSize = MAX_MESSAGE_BYTES,
): Promise<{ readonly stream: TlsStream; readonly accepted: Lane }> {
  const { offer, lane } = listener.expect(1);
  const stream = dialTls({ host: '127.0.0.1', port: listener.port });
  stream.socket.on('error', () => {});
  const welcomed = new Promise<void>((resolve) => {
    let bytes = 0;
    stream.onBytes = (part) => {
      bytes += part.byteLength;
      if (bytes === WELCOME_BYTES) resolve();
    };
  });
  stream.socket.write(encodeGreeting({ maxMessageSize, token: offer.token }));
  await welcomed;
  return { stream, accepted: await lane };
}
