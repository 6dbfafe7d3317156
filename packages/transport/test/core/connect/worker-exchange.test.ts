import { describe, expect, it } from '@jest/globals';
import {
  decodeExchange,
  type ExchangeMessage,
  encodeExchange,
  ModelRtcError,
  packValue,
  silentLog,
  type WorkerSeal,
} from '@model-rtc/protocol';
import type { Link } from '@model-rtc/signaling';
import { settle, VirtualClock } from '../../../../../test/support/virtual-clock.ts';
import type { AnswerLane } from '../../../src/core/connect/components.ts';
import { SealedAnswers, SealedRate } from '../../../src/core/connect/sealed-answers.ts';
import { WorkerExchange } from '../../../src/core/connect/worker-exchange.ts';
import { LaneQueue } from '../../../src/core/lane/lane-queue.ts';
import { createMemoryLanes, type Lane } from '../../../src/index.ts';
import { failure, gate } from '../peer/support.ts';

const offer = (lane: number): ExchangeMessage => ({ type: 'offer', lane, engine: 'native', sdp: 'v=0' });
const candidate = (lane: number): ExchangeMessage => ({ type: 'candidate', lane, candidate: 'candidate:1', mid: '0' });

/** A link and a seal that hide nothing. */
function openLink(first: ExchangeMessage) {
  const incoming = new LaneQueue(() => {});
  const sent: Uint8Array[] = [];
  const link: Link = {
    serverUrl: 'ws://127.0.0.1:8787',
    send: async (bytes) => void sent.push(bytes),
    messages: incoming,
    close: () => incoming.end(),
    closed: new Promise(() => {}),
  };
  const seal: WorkerSeal = {
    keyId: '00',
    first: encodeExchange(first),
    seal: (bytes) => bytes,
    open: (bytes) => bytes,
  };
  return { link, seal, sent, say: (message: ExchangeMessage) => incoming.push(encodeExchange(message)) };
}

const requests = (send: (message: ExchangeMessage) => Promise<void>) =>
  new SealedAnswers({
    ...{ send, authority: { scopes: [] }, handlers: {}, rate: new SealedRate(new VirtualClock()), log: silentLog },
  });

function startExchange(answer: AnswerLane, first: ExchangeMessage = offer(0)) {
  const opened = openLink(first);
  const controller = new AbortController();
  const { link, seal } = opened;
  let onLane: (lane: Lane) => void = () => {};
  const firstLane = new Promise<Lane>((resolve) => {
    onLane = resolve;
  });
  const exchange = new WorkerExchange({
    link,
    seal,
    answer,
    requests,
    onLane,
    signal: controller.signal,
    log: silentLog,
  });
  const over = exchange.run();
  /** The first lane, or why there is none. */
  const running = Promise.race([firstLane, over.then(() => firstLane)]);
  return { ...opened, controller, running, over };
}

const forever: AnswerLane = ({ signal }) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });

describe('the exchange of a worker', () => {
  it('gives what is for the lane to its answerer, and the lane that comes of it', async () => {
    const [lane] = createMemoryLanes();
    const read: ExchangeMessage[] = [];
    const { running, say, sent } = startExchange(async ({ receive, send }) => {
      for await (const message of receive) {
        read.push(message);
        if (read.length === 2) break;
      }
      await send({ type: 'answer', lane: 0, sdp: 'v=0' });
      return lane;
    });
    say(candidate(5));
    say(candidate(0));
    expect(await running).toBe(lane);
    expect(read).toEqual([offer(0), candidate(0)]);
    expect(sent).toEqual([encodeExchange({ type: 'answer', lane: 0, sdp: 'v=0' })]);
  });

  it('gives up an offer for the next one', async () => {
    const [lane] = createMemoryLanes();
    const aborted: number[] = [];
    const { running, say } = startExchange(async (options) => {
      if (options.lane === 1) return lane;
      return await forever(options).catch((error) => {
        aborted.push(options.lane);
        throw error;
      });
    });
    say(offer(1));
    expect(await running).toBe(lane);
    await settle();
    expect(aborted).toEqual([0]);
  });

  it('goes on after an offer that failed, while the visitor is there', async () => {
    const [lane] = createMemoryLanes();
    const { running, say } = startExchange(async (options) => {
      if (options.lane === 1) return lane;
      throw new ModelRtcError('network', 'It did not open.');
    });
    await settle();
    say(offer(1));
    expect(await running).toBe(lane);
  });

  it('says why an offer is of no use to any worker, and ends', async () => {
    const useless = new ModelRtcError('malformed_message', 'The description is not usable.');
    const { running, sent } = startExchange(async () => await Promise.reject(useless));
    expect(await failure(running)).toBe(useless);
    expect(sent.map(decodeExchange)).toEqual([
      {
        type: 'refuse',
        error: expect.objectContaining({
          code: 'malformed_message',
          message: expect.stringContaining('The description is not usable.'),
        }),
      },
    ]);
  });

  it('says nothing of a useless offer that the visitor has given up itself', async () => {
    const [lane] = createMemoryLanes();
    const { running, say, sent } = startExchange(async (options) => {
      if (options.lane === 1) return lane;
      return await forever(options).catch((cause) => {
        throw new ModelRtcError('malformed_message', 'The description is not usable.', { cause });
      });
    });
    say(offer(1));
    expect(await running).toBe(lane);
    await settle();
    expect(sent).toEqual([]);
  });

  it('ends with the visitor, but not before the offer that is going on', async () => {
    const [lane] = createMemoryLanes();
    const open = gate();
    const first = startExchange(async () => {
      await open.opened;
      return lane;
    });
    first.link.close();
    await settle();
    open.open();
    expect(await first.running).toBe(lane);

    const fail = gate();
    const second = startExchange(async () => {
      await fail.opened;
      throw new ModelRtcError('timeout', 'Too late.');
    });
    second.link.close();
    await settle();
    fail.open();
    expect((await failure(second.running)).code).toBe('timeout');
  });

  it.each<[string, (say: (message: ExchangeMessage) => void) => void, string]>([
    [
      'says that it gives up',
      (say) => say({ type: 'refuse', error: { code: 'cancelled', message: 'No.' } }),
      'cancelled',
    ],
    [
      'offers for ever',
      (say) => {
        for (let lane = 1; lane < 100; lane++) say(offer(lane));
      },
      'refused',
    ],
  ])('ends when the visitor %s', async (_, act, code) => {
    const { running, say, sent } = startExchange(forever);
    act(say);
    expect((await failure(running)).code).toBe(code);
    // A visitor that ended it itself is told nothing.
    const told = sent
      .map(decodeExchange)
      .flatMap((message) => (message?.type === 'refuse' ? [message.error.code] : []));
    expect(told).toEqual(code === 'cancelled' ? [] : [code]);
  });

  it.each<[string, Partial<WorkerSeal>, string]>([
    ['what is in the first envelope is nothing', { first: Uint8Array.of(1, 2, 3) }, 'malformed_message'],
    [
      'an offer breaks a rule before its SDP is read',
      { first: packValue({ type: 'offer', lane: 0, engine: 'x', sdp: 'v=0', mtu: 576 }) },
      'malformed_message',
    ],
    [
      'a later envelope does not open',
      {
        open: () => {
          throw new ModelRtcError('refused', 'It does not open.');
        },
      },
      'refused',
    ],
  ])('says why and ends when %s', async (_, change, code) => {
    const { link, seal, sent, say } = openLink(offer(0));
    const { signal } = new AbortController();
    const exchange = new WorkerExchange({
      requests,
      ...{ link, seal: { ...seal, ...change }, answer: forever, signal, log: silentLog },
      onLane: () => {},
    });
    say(candidate(0));
    expect((await failure(exchange.run())).code).toBe(code);
    expect(sent.map(decodeExchange)).toEqual([{ type: 'refuse', error: expect.objectContaining({ code }) }]);
  });

  it('ends when its time is up, and breaks off a lane that comes too late', async () => {
    const [lane] = createMemoryLanes();
    const open = gate();
    const { running, controller } = startExchange(async (): Promise<Lane> => {
      await open.opened;
      return lane;
    });
    controller.abort(new ModelRtcError('timeout', 'Too slow.'));
    expect((await failure(running)).code).toBe('timeout');
    open.open();
    expect((await lane.closed)?.code).toBe('network');
  });
});
