import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import type { Lab } from './lab.ts';

/** A message of the signaling protocol, as it is on the wire. */
export interface SignalingJson {
  readonly type: string;
  readonly payload?: string;
  readonly [field: string]: unknown;
}

export interface Tampering {
  /** What a visitor sent: what is passed on to the true server. */
  toServer(message: SignalingJson): SignalingJson[];
  /** What the true server sent to the visitor: what is passed on to it. */
  toVisitor(message: SignalingJson): SignalingJson[];
}

/**
 * A signaling server that stands in the middle: visitors talk to it, it talks to the true server, and it may change
 * everything that passes.
 *
 * @returns the URL that visitors are led to.
 */
export async function startHostileSignaling(lab: Lab, trueUrl: string, tamper: () => Tampering): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  server.on('connection', (visitor) => stand(visitor, trueUrl, tamper()));
  lab.onEnd(async () => {
    for (const client of server.clients) client.terminate();
    await new Promise((resolve) => server.close(resolve));
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function stand(visitor: WebSocket, trueUrl: string, tampering: Tampering): void {
  const upstream = new WebSocket(`${trueUrl}/v1`, { perMessageDeflate: false });
  const waiting: SignalingJson[] = [];
  const passUp = (message: SignalingJson) => {
    if (upstream.readyState === WebSocket.OPEN) upstream.send(JSON.stringify(message));
    else waiting.push(message);
  };
  upstream.on('open', () => {
    for (const message of waiting.splice(0)) passUp(message);
  });
  visitor.on('message', (data) => {
    for (const message of tampering.toServer(parse(data))) passUp(message);
  });
  upstream.on('message', (data) => {
    for (const message of tampering.toVisitor(parse(data))) visitor.send(JSON.stringify(message));
  });
  visitor.on('close', () => upstream.terminate());
  upstream.on('close', () => visitor.terminate());
  upstream.on('error', () => visitor.terminate());
}

function parse(data: RawData): SignalingJson {
  return JSON.parse(String(data)) as SignalingJson;
}
