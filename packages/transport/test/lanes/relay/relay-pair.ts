import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { startSignalingServer } from '@model-rtc/signaling';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Lane } from '../../../src/core/lane/lane.ts';
import { answerRelay, askRelay } from '../../../src/lanes/relay/set-up.ts';
import { RELAY_ON_NODE } from '../../../src/node/create.ts';

/** What a relay does with a frame on its way: the frames that it passes on. */
export type Tamper = (frame: Buffer, hand: HostileHand) => Buffer[];

/** What else a relay can do at that moment. */
export interface HostileHand {
  cut(how: 'orderly' | 'hard'): void;
  sendBack(frame: Buffer): void;
}

/** A relay of some kind, and how lanes are opened over it. */
export interface RelayStage {
  readonly serverUrl: string;
  /** Resolves when someone waits there. A hostile relay tells the two apart by who comes first. */
  someoneWaits(): Promise<unknown>;
  close(): Promise<void>;
}

export async function startHonestRelay(): Promise<RelayStage> {
  const server = await startSignalingServer({ host: '127.0.0.1', port: 0 });
  return {
    serverUrl: `ws://127.0.0.1:${server.port}`,
    someoneWaits: async () => {},
    close: () => server.close(),
  };
}

/** A relay that joins any two, and does what it wants with what the one who asks for the lane sends. */
export async function startHostileRelay(tamper: Tamper): Promise<RelayStage> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  await once(server, 'listening');
  let waiting: WebSocket | undefined;
  server.on('connection', (socket) => {
    if (waiting === undefined) waiting = socket;
    else {
      joinBadly(waiting, socket, tamper);
      waiting = undefined;
    }
  });
  return {
    serverUrl: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    someoneWaits: async () => waiting ?? (await once(server, 'connection')),
    async close() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function joinBadly(asker: WebSocket, answerer: WebSocket, tamper: Tamper): void {
  const hand: HostileHand = {
    cut(how) {
      for (const socket of [asker, answerer]) {
        if (how === 'hard') socket.terminate();
        else socket.close(1000, 'peer_gone');
      }
    },
    sendBack: (frame) => asker.send(frame),
  };
  asker.on('message', (data) => {
    for (const frame of tamper(data as Buffer, hand)) answerer.send(frame);
  });
  answerer.on('message', (data) => asker.send(data));
  asker.on('close', () => answerer.close(1000, 'peer_gone'));
  answerer.on('close', () => asker.close(1000, 'peer_gone'));
  for (const socket of [asker, answerer]) socket.send('joined');
}

/** Opens a lane over a relay: `left` asked for it. The asker is the first who comes. */
export async function openRelayLanes(
  { serverUrl, someoneWaits }: RelayStage,
  options: { timeoutMs?: number } = {},
): Promise<{ left: Lane; right: Lane }> {
  const asked = askRelay(RELAY_ON_NODE, 7, { serverUrl, ...options });
  await someoneWaits();
  const answered = answerRelay(RELAY_ON_NODE, asked.ask, { serverUrl, ...options });
  const [left, right] = await Promise.all([asked.open(answered.offer), answered.lane]);
  return { left, right };
}
