import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Clock } from '@model-rtc/protocol';
import { AddressCount } from '@model-rtc/signaling';
import { DirectLane } from './direct-lane.ts';
import type { ExpectedLanes } from './expected-lanes.ts';
import { decodeGreeting, encodeWelcome, GREETING_BYTES } from './greeting.ts';
import {
  GREETING_TIMEOUT_MS,
  MAX_MESSAGE_BYTES,
  MAX_UNAUTHENTICATED,
  MAX_UNAUTHENTICATED_PER_ADDRESS,
} from './limits.ts';
import { acceptTls, type TlsStream } from './tls-stream.ts';

export interface UnauthenticatedConnectionsOptions {
  readonly expected: ExpectedLanes;
  readonly secureContext: SecureContext;
  readonly clock: Clock;
}

/**
 * Connections that have not shown a good token yet. Each has little time and few bytes, there are few of them, and
 * while no lane is expected they are refused at once: a port scan costs nothing.
 */
export class UnauthenticatedConnections {
  readonly #options: UnauthenticatedConnectionsOptions;
  readonly #sockets = new Set<Socket>();
  /** By network, as the signaling server counts: one IPv6 customer has more addresses than there are places. */
  readonly #addresses = new AddressCount();

  constructor(options: UnauthenticatedConnectionsOptions) {
    this.#options = options;
  }

  admit(connection: Socket): void {
    connection.on('error', () => connection.destroy());
    const address = connection.remoteAddress;
    if (address === undefined || this.#options.expected.size === 0 || !this.#hasRoomFor(address)) {
      connection.destroy();
      return;
    }
    const stream = acceptTls(connection, this.#options.secureContext);
    const { socket } = stream;
    this.#sockets.add(socket);
    this.#addresses.add(address);
    const stopTimer = this.#options.clock.after(GREETING_TIMEOUT_MS, () => stream.socket.destroy());
    const forget = () => {
      stopTimer();
      if (this.#sockets.delete(socket)) this.#addresses.remove(address);
    };
    stream.socket.on('close', forget);
    // Ignore errors from unauthenticated sockets; the lane has its own listener.
    stream.socket.on('error', () => stream.socket.destroy());
    collect(stream, GREETING_BYTES, (greeting) => {
      forget();
      this.#greet(stream, greeting);
    });
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #hasRoomFor(address: string): boolean {
    return this.#sockets.size < MAX_UNAUTHENTICATED && this.#addresses.of(address) < MAX_UNAUTHENTICATED_PER_ADDRESS;
  }

  #greet(stream: TlsStream, bytes: Uint8Array): void {
    const greeting = decodeGreeting(bytes);
    const give = greeting === undefined ? undefined : this.#options.expected.claim(greeting.token);
    if (greeting === undefined || give === undefined) {
      stream.socket.destroy();
      return;
    }
    stream.socket.write(encodeWelcome(MAX_MESSAGE_BYTES));
    give(new DirectLane(stream, greeting.maxMessageSize));
  }
}

/** Calls back with the first bytes, once they are there. One who says more before it is answered is cut off. */
function collect(stream: TlsStream, count: number, onCollected: (bytes: Uint8Array) => void): void {
  const collected = Buffer.alloc(count);
  let filled = 0;
  stream.onBytes = (bytes) => {
    if (filled + bytes.byteLength > count) {
      stream.socket.destroy();
      return;
    }
    collected.set(bytes, filled);
    filled += bytes.byteLength;
    if (filled === count) onCollected(collected);
  };
}
