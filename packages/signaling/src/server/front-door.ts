import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { MAX_READ_FRAME_BYTES, POLITE_REFUSALS, type SignalingLimits } from '../limits.ts';
import { AddressCount } from './address-count.ts';
import { createHttpRim, refuseUpgrade } from './http-rim.ts';

export interface FrontDoor {
  readonly http: Server;
  /** Ends every socket at once, whatever it is doing. */
  destroySockets(): void;
}

export interface FrontDoorOptions {
  readonly limits: SignalingLimits;
  readonly onSocket: (socket: WebSocket, tcp: Socket) => void;
}

/** Lets WebSockets in while there is room, and tells the others why not. */
export function createFrontDoor({ limits, onSocket }: FrontDoorOptions): FrontDoor {
  const sockets = new Set<Socket>();
  const perAddress = new AddressCount();
  // Compression would let a small frame grow without bound, and sealed payloads do not shrink.
  const webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_READ_FRAME_BYTES,
    clientTracking: false,
  });
  const http = createHttpRim(limits.requestMs, (request, socket, head) => {
    const tcp = request.socket;
    const refusal = refusalFor(tcp);
    if (refusal !== undefined) refuseUpgrade(socket, ...refusal);
    else letIn(webSockets, { request, socket, head }, (webSocket) => onSocket(webSocket, tcp));
  });

  function refusalFor(tcp: Socket): [status: string, text: string] | undefined {
    if (sockets.size > limits.maxConnections) {
      return ['503 Service Unavailable', 'This signaling server is full; try again later.'];
    }
    if (perAddress.of(tcp.remoteAddress ?? '') > limits.maxConnectionsPerIp) {
      return ['429 Too Many Requests', 'Your address holds too many connections to this signaling server.'];
    }
    return undefined;
  }

  http.on('connection', (tcp: Socket) => {
    const address = tcp.remoteAddress ?? '';
    sockets.add(tcp);
    const fromThere = perAddress.add(address);
    tcp.once('close', () => {
      sockets.delete(tcp);
      perAddress.remove(address);
    });
    // A few over the limit are read so that they can be told; more of them only cost.
    const over = Math.max(fromThere - limits.maxConnectionsPerIp, sockets.size - limits.maxConnections);
    if (over > POLITE_REFUSALS) tcp.destroy();
  });

  return {
    http,
    destroySockets: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function letIn(
  webSockets: WebSocketServer,
  { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
  onSocket: (webSocket: WebSocket) => void,
): void {
  webSockets.handleUpgrade(request, socket, head, onSocket);
}
