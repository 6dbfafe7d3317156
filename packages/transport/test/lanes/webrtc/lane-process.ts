/**
 * One side of a webrtc lane in a process of its own: `lane-process.ts native|werift|browser`, where the last is the engine for
 * browsers over a stand-in for their RTCPeerConnection. It plays what its parent says,
 * and ends by itself when the parent lets go of it.
 */
import type { ExchangeMessage } from '@model-rtc/protocol';
import type { Lane } from '../../../src/core/lane/lane.ts';
import { createBrowserEngine, type W3cPeerConnectionConstructor } from '../../../src/lanes/webrtc/browser-engine.ts';
import { answerLane, offerLane } from '../../../src/lanes/webrtc/connect-lane.ts';
import type { WebRtcEngine } from '../../../src/lanes/webrtc/engine.ts';
import { loadEngine } from '../../../src/lanes/webrtc/load-engine.ts';
import { LANE_SCENARIOS } from '../../support/lane-scenarios.ts';
import { createMessagePipe, type MessagePipe } from '../../support/message-pipe.ts';
import { createSideline } from '../../support/sideline.ts';

/** What the parent says. `prepare` comes before `open` on both sides, so that nothing of the exchange is missed. */
export type Order =
  | { readonly kind: 'prepare' }
  | {
      readonly kind: 'open';
      readonly side: 'left' | 'right';
      readonly lane: number;
      readonly timeoutMs?: number;
      readonly mtu?: number | undefined;
    }
  | { readonly kind: 'play'; readonly scenario: string; readonly side: 'left' | 'right' }
  | { readonly kind: 'flood' }
  | { readonly kind: 'end'; readonly how: 'close' | 'abort' }
  | { readonly kind: 'exchange'; readonly message: ExchangeMessage }
  | { readonly kind: 'told'; readonly event: string };

/** What this process says. Each order but `exchange` and `told` is answered by one `done`. */
export type Report =
  | { readonly kind: 'exchange'; readonly message: ExchangeMessage }
  | { readonly kind: 'tell'; readonly event: string }
  | { readonly kind: 'done'; readonly error?: string | undefined; readonly code?: string | undefined };

const engine = await loadEngineOrStandIn(process.argv[2] as WebRtcEngine['name']);
let receive: MessagePipe<ExchangeMessage> = createMessagePipe();
let sideline = createSideline(() => {});
let lane: Lane | undefined;

async function loadEngineOrStandIn(name: WebRtcEngine['name']): Promise<WebRtcEngine> {
  if (name !== 'browser') return await loadEngine(name);
  const { RTCPeerConnection } = await import('node-datachannel/polyfill');
  return createBrowserEngine(RTCPeerConnection as unknown as W3cPeerConnectionConstructor);
}

function report(message: Report): void {
  if (process.connected) process.send?.(message);
}

async function obey(order: Order): Promise<void> {
  if (order.kind === 'prepare') {
    receive = createMessagePipe();
    sideline = createSideline((event) => report({ kind: 'tell', event }));
  } else if (order.kind === 'open') {
    const connect = order.side === 'left' ? offerLane : answerLane;
    const { mtu } = order;
    const send = (message: ExchangeMessage) => report({ kind: 'exchange', message });
    lane = await connect({ engine, lane: order.lane, receive, send, mtu, timeoutMs: order.timeoutMs ?? 20_000 });
  } else if (order.kind === 'play' && lane !== undefined) {
    await LANE_SCENARIOS[order.scenario]?.[order.side](lane, sideline);
  } else if (order.kind === 'flood' && lane !== undefined) {
    // Nobody reads: it goes on until there is no more room.
    void flood(lane).catch(() => {});
  } else if (order.kind === 'end' && lane !== undefined) {
    if (order.how === 'abort') lane.abort();
    else await lane.close();
    if ((await lane.closed)?.code !== 'network') throw new Error('the lane ended as if the other side were there');
  }
}

async function flood(target: Lane): Promise<never> {
  for (;;) await target.send(new Uint8Array(target.maxMessageSize));
}

process.on('message', (order: Order) => {
  if (order.kind === 'exchange') receive.push(order.message);
  else if (order.kind === 'told') sideline.hear(order.event);
  else {
    obey(order).then(
      () => report({ kind: 'done' }),
      (error) => report({ kind: 'done', error: String(error?.stack ?? error), code: error?.code }),
    );
  }
});

process.on('disconnect', () => void lane?.close());
