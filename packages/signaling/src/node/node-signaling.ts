import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { createSignalingClient } from '../client/create-client.ts';
import type { ClientWebSocket, WebSocketOptions } from '../client/web-socket.ts';
import { CLOSE_GRACE_MS } from '../limits.ts';

/** Opens a WebSocket of `ws`, for Node. */
function openWsWebSocket({ url, maxFrameBytes, isSealed, events }: WebSocketOptions): ClientWebSocket {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    ...(isSealed && { generateMask: (mask: Buffer) => mask.fill(0) }),
  });
  socket.on('open', () => events.open?.());
  socket.on('message', (data, isBinary) => {
    // The socket's binaryType is that of `ws`: each frame comes as one Buffer.
    if (isBinary) events.binary(data as Buffer);
    else events.text(data.toString());
  });
  socket.on('ping', () => events.ping?.());
  socket.on('unexpected-response', (request, response: IncomingMessage) => {
    request.destroy();
    events.refused(response.statusCode ?? 0);
  });
  socket.on('error', (error) => events.failed(error));
  socket.on('close', (code, reason) => events.closed(code, reason.toString()));
  return {
    get isOpen() {
      return socket.readyState === WebSocket.OPEN;
    },
    get unsentBytes() {
      return socket.bufferedAmount;
    },
    send: (data, sent) => socket.send(data, (error) => sent(error ?? undefined)),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => closeGently(socket),
    terminate: () => socket.terminate(),
  };
}

/** A server that does not answer the close frame must not keep this process. */
function closeGently(socket: WebSocket): void {
  socket.resume(); // Paused, it would not see the answer.
  // Before it is open, `close` is an end at once.
  socket.close(1000);
  const timer = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
  socket.once('close', () => clearTimeout(timer));
}

const client = createSignalingClient(openWsWebSocket);

/** The client side of signaling over `ws`. */
export const visit = client.visit;
export const joinAsWorker = client.joinAsWorker;
export const meetAtRelay = client.meetAtRelay;
