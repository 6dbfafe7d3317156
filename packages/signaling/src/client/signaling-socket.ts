import { type Clock, ModelRtcError } from '@model-rtc/protocol';
import { CLIENT_PING_INTERVAL_MS, CLIENT_STALE_MS, MAX_READ_FRAME_BYTES } from '../limits.ts';
import { type ClientMessage, parseServerMessage, type ServerMessage } from '../messages.ts';
import { printable } from './server-errors.ts';
import type { ServerUrl } from './server-url.ts';
import type { OpenWebSocket } from './web-socket.ts';

export interface SocketEvents {
  open?(): void;
  message(message: ServerMessage): void;
  /** Called once, as the last event: why the connection ended or could not be made. Not called after `close`. */
  end(reason: ModelRtcError): void;
}

/** A connection to one signaling server. */
export interface SignalingSocket {
  /** Resolves when the message has gone to the network. @throws ModelRtcError `network` when the connection is gone. */
  send(message: ClientMessage): Promise<void>;
  /** Ends it from this side. What was sent still goes out, even if the process has nothing else to do. */
  close(): void;
}

export interface SignalingSocketOptions {
  readonly url: ServerUrl;
  readonly events: SocketEvents;
  readonly clock: Clock;
  readonly openWebSocket: OpenWebSocket;
}

/**
 * Dials a signaling server. Nothing is thrown: a failure to connect is an `end`. It pings the server, and ends when the
 * server has been silent for too long, whether it is connected yet or not.
 */
export function openSignalingSocket({ url, events, clock, openWebSocket }: SignalingSocketOptions): SignalingSocket {
  const watch = startWatch(clock, {
    ping: () => socket.isOpen && void send({ type: 'ping' }).catch(ignore),
    stale: () => finish(gone(url, 'has been silent for too long')),
  });
  let isFinished = false;

  function finish(reason: ModelRtcError | undefined): void {
    if (isFinished) return;
    isFinished = true;
    watch.stop();
    if (reason === undefined) socket.close();
    else {
      socket.terminate();
      events.end(reason);
    }
  }

  async function send(message: ClientMessage): Promise<void> {
    if (isFinished || !socket.isOpen) throw gone(url, 'is not connected');
    await new Promise<void>((resolve, reject) => {
      socket.send(JSON.stringify(message), (error) => (error ? reject(gone(url, 'was lost', error)) : resolve()));
    });
  }

  function onFrame(parsed: ReturnType<typeof parseServerMessage>): void {
    watch.heard();
    if (isFinished || parsed === undefined) return;
    if ('message' in parsed) events.message(parsed.message);
    else finish(notUnderstood(url, parsed.problem));
  }

  const socket = openWebSocket({
    url: url.dialled,
    maxFrameBytes: MAX_READ_FRAME_BYTES,
    events: {
      open: () => isFinished || events.open?.(),
      text: (text) => onFrame(parseServerMessage(text)),
      binary: () => onFrame({ problem: 'it is binary' }),
      ping: () => watch.heard(),
      refused: (status) => finish(httpRefusal(url, status)),
      failed: (error) => finish(gone(url, problemOf(error), error)),
      closed: (code, reason) => finish(gone(url, `closed the connection (${code} ${printable(reason)})`)),
    },
  });
  return { send, close: () => finish(undefined) };
}

interface Watch {
  heard(): void;
  stop(): void;
}

/** Pings at an interval, and calls out once nothing has been heard for too long. */
function startWatch(clock: Clock, act: { ping(): void; stale(): void }): Watch {
  let heardMs = clock.nowMs();
  let cancel = clock.after(CLIENT_PING_INTERVAL_MS, tick);
  function tick(): void {
    cancel = clock.after(CLIENT_PING_INTERVAL_MS, tick);
    if (clock.nowMs() - heardMs >= CLIENT_STALE_MS) act.stale();
    else act.ping();
  }
  return {
    heard: () => {
      heardMs = clock.nowMs();
    },
    stop: () => cancel(),
  };
}

function ignore(): void {}

function gone(url: ServerUrl, what: string, cause?: unknown): ModelRtcError {
  const options = cause === undefined ? {} : { cause };
  return new ModelRtcError('network', `The signaling server ${url.given} ${what}.`, options);
}

function problemOf(error: Error): string {
  const code = (error as { readonly code?: string }).code;
  return code === undefined ? `cannot be used: ${error.message}` : `cannot be reached (${code})`;
}

function httpRefusal(url: ServerUrl, status: number): ModelRtcError {
  if (status === 429 || status === 503) {
    return new ModelRtcError(
      'busy',
      `The signaling server ${url.given} accepts no more connections right now; try again later.`,
    );
  }
  return gone(url, `is not a model-rtc signaling server (HTTP ${status}); check the URL`);
}

function notUnderstood(url: ServerUrl, problem: string): ModelRtcError {
  return new ModelRtcError(
    'malformed_message',
    `The signaling server ${url.given} sent something that this version does not understand (${problem}). Upgrade model-rtc.`,
  );
}
