import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ClientMessage, ServerMessage } from '../../src/messages.ts';

/** A signaling server that does what a test tells it: to see what a hostile or broken one can do to a client. */
export class ScriptedServer {
  readonly #server: WebSocketServer;
  readonly url: string;
  /** Every connection so far. */
  readonly sockets: WebSocket[] = [];
  readonly heard: ClientMessage[] = [];

  private constructor(
    server: WebSocketServer,
    onMessage: (reply: Reply, message: ClientMessage) => unknown,
    greet: Greet,
  ) {
    this.#server = server;
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (socket) => {
      this.sockets.push(socket);
      const reply: Reply = (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message));
      socket.on('message', (data) => {
        const message = JSON.parse(data.toString()) as ClientMessage;
        this.heard.push(message);
        onMessage(reply, message);
      });
      greet(reply);
    });
  }

  static async start(
    onMessage: (reply: Reply, message: ClientMessage) => unknown,
    greet: Greet = challenge,
  ): Promise<ScriptedServer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(server, 'listening');
    return new ScriptedServer(server, onMessage, greet);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export type Reply = (message: ServerMessage | string) => void;
type Greet = (reply: Reply) => unknown;

function challenge(reply: Reply): void {
  reply({ type: 'challenge', nonce: 'A'.repeat(43) });
}
