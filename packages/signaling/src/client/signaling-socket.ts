import type { IncomingMessage } from 'node:http';
import { type Clock, ModelRtcError, systemClock } from '@model-rtc/protocol';
import { type RawData, WebSocket } from 'ws';
import { CLIENT_PING_INTERVAL_MS, CLIENT_STALE_MS, CLOSE_GRACE_MS, MAX_READ_FRAME_BYTES } from '../limits.ts';
import { type ClientMessage, parseServerMessage, type ServerMessage } from '../messages.ts';
import { printable } from './server-errors.ts';
import type { ServerUrl } from './server-url.ts';

export interface SocketEvents {
  open?(): void;
  message(message: ServerMessage): void;
  /** Once, and last: why the connection is no more, or could not be made. Not after `close`. */
  end(reason: ModelRtcError): void;
}

/** A connection to one signaling server. */
export interface SignalingSocket {
  /** Resolves when the message has gone to the network. @throws ModelRtcError `network` when the connection is gone. */
  send(message: ClientMessage): Promise<void>;
  /** Ends it from this side. What was sent still goes out, also when the process has nothing else to do. */
  close(): void;
}

/**
 * Dials a signaling server. Nothing is thrown: a failure to connect is an `end`. It pings the server, and ends when the
 * server has been silent for too long, also while connecting.
 */
export function openSocket(url: ServerUrl, events: SocketEvents, timers: Clock = systemClock): SignalingSocket {
  const socket = new WebSocket(url.dialled, { perMessageDeflate: false, maxPayload: MAX_READ_FRAME_BYTES });
  const watch = startWatch(timers, {
    ping: () => socket.readyState === WebSocket.OPEN && void send({ type: 'ping' }).catch(ignore),
    stale: () => finish(gone(url, 'has been silent for too long')),
  });
  let isFinished = false;

  function finish(reason: ModelRtcError | undefined): void {
    if (isFinished) return;
    isFinished = true;
    watch.stop();
    if (reason === undefined) closeGently(socket);
    else {
      socket.terminate();
      events.end(reason);
    }
  }

  async function send(message: ClientMessage): Promise<void> {
    if (isFinished || socket.readyState !== WebSocket.OPEN) throw gone(url, 'is not connected');
    await new Promise<void>((resolve, reject) => {
      socket.send(JSON.stringify(message), (error) => (error ? reject(gone(url, 'was lost', error)) : resolve()));
    });
  }

  function onFrame(data: RawData, isBinary: boolean): void {
    if (isFinished) return;
    watch.heard();
    const parsed = isBinary ? { problem: 'it is binary' } : parseServerMessage(data.toString());
    if (parsed === undefined) return;
    if ('message' in parsed) events.message(parsed.message);
    else finish(notUnderstood(url, parsed.problem));
  }

  socket.on('open', () => {
    if (!isFinished) events.open?.();
  });
  socket.on('message', onFrame);
  socket.on('ping', watch.heard);
  socket.on('unexpected-response', (request, response: IncomingMessage) => {
    request.destroy();
    finish(httpRefusal(url, response.statusCode ?? 0));
  });
  socket.on('error', (error) => finish(gone(url, problemOf(error), error)));
  socket.on('close', (code, reason) =>
    finish(gone(url, `closed the connection (${code} ${printable(reason.toString())})`)),
  );
  return { send, close: () => finish(undefined) };
}

interface Watch {
  heard(): void;
  stop(): void;
}

/** Pings at an interval, and calls out once nothing has been heard for too long. */
function startWatch(timers: Clock, act: { ping(): void; stale(): void }): Watch {
  let heardMs = timers.nowMs();
  let cancel = timers.after(CLIENT_PING_INTERVAL_MS, tick);
  function tick(): void {
    cancel = timers.after(CLIENT_PING_INTERVAL_MS, tick);
    if (timers.nowMs() - heardMs >= CLIENT_STALE_MS) act.stale();
    else act.ping();
  }
  return {
    heard: () => {
      heardMs = timers.nowMs();
    },
    stop: () => cancel(),
  };
}

/** A server that does not answer the close frame must not keep this process. */
function closeGently(socket: WebSocket): void {
  // Before it is open, `close` is an end at once.
  socket.close(1000);
  const timer = setTimeout(() => socket.terminate(), CLOSE_GRACE_MS);
  socket.once('close', () => clearTimeout(timer));
}

function ignore(): void {}

function gone(url: ServerUrl, what: string, cause?: unknown): ModelRtcError {
  const options = cause === undefined ? {} : { cause };
  return new ModelRtcError('network', `The signaling server ${url.given} ${what}.`, options);
}

function problemOf(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === undefined ? `cannot be used: ${error.message}` : `cannot be reached (${code})`;
}

function httpRefusal(url: ServerUrl, status: number): ModelRtcError {
  if (status === 429 || status === 503) {
    return new ModelRtcError(
      'busy',
      `The signaling server ${url.given} takes no more connections now; try again later.`,
    );
  }
  return gone(url, `is no model-rtc signaling server (HTTP ${status}); check the URL`);
}

function notUnderstood(url: ServerUrl, problem: string): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    `The signaling server ${url.given} said something that this version does not understand (${problem}).`,
  );
}
