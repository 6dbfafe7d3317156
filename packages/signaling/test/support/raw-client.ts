import { once } from 'node:events';
import { connect } from 'node:net';
import { fromBase64Url, type Identity, registrationText, toBase64Url } from '@model-rtc/protocol';
import { WebSocket } from 'ws';
import type { ServerMessage } from '../../src/messages.ts';

/** A client that says whatever a test wants, and keeps what it hears. */
export class RawClient {
  readonly socket: WebSocket;
  readonly heard: ServerMessage[] = [];
  readonly closed: Promise<number>;
  #wake: () => void = () => {};

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      this.heard.push(JSON.parse(data.toString()) as ServerMessage);
      this.#wake();
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', (code) => {
        resolve(code);
        this.#wake();
      });
    });
  }

  /** Connects and waits for the challenge. */
  static async dial(
    port: number,
    options: { headers?: Record<string, string>; autoPong?: boolean } = {},
  ): Promise<RawClient> {
    const client = new RawClient(new WebSocket(`ws://127.0.0.1:${port}/v1`, options));
    await client.hear('challenge');
    return client;
  }

  say(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  /** The first message of the type that was not taken before. */
  async hear<T extends ServerMessage['type']>(type: T): Promise<Extract<ServerMessage, { type: T }>> {
    for (;;) {
      const at = this.heard.findIndex((message) => message.type === type);
      const [found] = at < 0 ? [] : this.heard.splice(at, 1);
      if (found !== undefined) return found as Extract<ServerMessage, { type: T }>;
      if (this.socket.readyState === WebSocket.CLOSED) {
        throw new Error(`closed before "${type}" came; heard ${JSON.stringify(this.heard)}`);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.socket.close();
  }
}

export function registration(
  identity: Identity,
  { host, nonce, instance = 'instance-1' }: { host: string; nonce: string; instance?: string },
) {
  const signature = toBase64Url(identity.sign(registrationText(host, fromBase64Url(nonce))));
  return { type: 'register', publicKey: toBase64Url(identity.publicKey), host, instance, signature } as const;
}

/** A registered worker that a test drives by hand. */
export async function dialAsWorker(port: number, identity: Identity, instance = 'instance-1'): Promise<RawClient> {
  const client = new RawClient(new WebSocket(`ws://127.0.0.1:${port}/v1`));
  const { nonce } = await client.hear('challenge');
  client.say(registration(identity, { host: `127.0.0.1:${port}`, nonce, instance }));
  await client.hear('registered');
  return client;
}

export async function dialAsVisitor(port: number, room: string): Promise<RawClient> {
  const client = await RawClient.dial(port);
  client.say({ type: 'visit', room });
  await client.hear('visiting');
  return client;
}

/** Everything that the server answers to raw bytes until it ends the connection. */
export async function rawExchange(port: number, text: string | Uint8Array): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  let answer = '';
  socket.on('data', (data) => {
    answer += data.toString('latin1');
  });
  socket.write(text);
  await once(socket, 'close');
  return answer;
}
