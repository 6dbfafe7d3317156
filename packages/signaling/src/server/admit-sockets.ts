import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { MAX_READ_FRAME_BYTES, MAX_RELAY_FRAME_BYTES, POLITE_REFUSALS, type SignalingLimits } from '../limits.ts';
import { AddressCount } from './address-count.ts';
import { createHttpServer, refuseUpgrade, type Upgrade } from './http-server.ts';
import { admitToRelay, type HttpRefusal } from './relay/admission.ts';
import type { RelayHub } from './relay/relay-hub.ts';

export interface AdmittedSockets {
  readonly http: Server;
  /** Ends every socket at once, whatever it is doing. */
  destroySockets(): void;
}

export interface AdmitOptions {
  readonly limits: SignalingLimits;
  readonly onSocket: (socket: WebSocket, tcp: Socket) => void;
  /** Undefined where it is off. */
  readonly relay: RelayHub | undefined;
}

/** Accepts WebSockets while there is room, and tells the others why it refuses them. */
export function admitSockets({ limits, onSocket, relay }: AdmitOptions): AdmittedSockets {
  const sockets = new Set<Socket>();
  const perAddress = new AddressCount();
  const signalingSockets = webSocketServer({ maxPayload: MAX_READ_FRAME_BYTES });
  // The relay answers pings itself.
  const relaySockets = webSocketServer({ maxPayload: MAX_RELAY_FRAME_BYTES, autoPong: false });
  const http = createHttpServer(limits.requestMs, {
    signaling(upgrade) {
      const tcp = upgrade.request.socket;
      const refusal = refusalFor(tcp);
      if (refusal !== undefined) refuseUpgrade(upgrade.socket, refusal);
      else letIn(signalingSockets, upgrade, (webSocket) => onSocket(webSocket, tcp));
    },
    relay(upgrade) {
      const tcp = upgrade.request.socket;
      const place = refusalFor(tcp) ?? admitToRelay(relay, upgrade.path, tcp.remoteAddress ?? '');
      if ('take' in place) letIn(relaySockets, upgrade, (webSocket) => place.take(webSocket));
      else refuseUpgrade(upgrade.socket, place);
    },
  });

  function refusalFor(tcp: Socket): HttpRefusal | undefined {
    if (sockets.size > limits.maxConnections) {
      return ['503 Service Unavailable', 'This signaling server is full; try again later.'];
    }
    if (perAddress.of(tcp.remoteAddress ?? '') > limits.maxConnectionsPerIp) {
      return ['429 Too Many Requests', 'Your address has too many connections to this signaling server.'];
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

/** Compression would let a small frame grow without bound, and sealed payloads do not shrink. */
function webSocketServer(options: { readonly maxPayload: number; readonly autoPong?: boolean }): WebSocketServer {
  return new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false, ...options });
}

function letIn(
  webSockets: WebSocketServer,
  { request, socket, head }: Upgrade,
  onSocket: (webSocket: WebSocket) => void,
): void {
  webSockets.handleUpgrade(request, socket, head, onSocket);
}
