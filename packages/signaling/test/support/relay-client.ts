import { once } from 'node:events';
import { toBase64Url } from '@model-rtc/protocol';
import { type ClientOptions, WebSocket } from 'ws';

/** The close frame that a connection ended with. */
interface CloseFrame {
  readonly code: number;
  readonly reason: string;
}

/** One who comes to the relay and does what a test wants. */
export class RelayClient {
  readonly socket: WebSocket;
  readonly texts: string[] = [];
  readonly frames: Buffer[] = [];
  readonly closed: Promise<CloseFrame>;
  #end: CloseFrame | undefined;
  #wake: () => void = () => {};

  constructor(port: number, meeting: number | string, options: ClientOptions = {}) {
    const name = typeof meeting === 'string' ? meeting : meetingName(meeting);
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/v1/relay/${name}`, { perMessageDeflate: false, ...options });
    this.socket.on('message', (data, isBinary) => {
      if (isBinary) this.frames.push(data as Buffer);
      else this.texts.push(data.toString());
      this.#wake();
    });
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        this.#end = { code, reason: reason.toString() };
        resolve(this.#end);
        this.#wake();
      });
    });
  }

  /** Two who have met. */
  static async pair(port: number, meeting: number): Promise<[RelayClient, RelayClient]> {
    const [left, right] = [new RelayClient(port, meeting), new RelayClient(port, meeting)];
    await Promise.all([left.joined(), right.joined()]);
    return [left, right];
  }

  opened(): Promise<unknown> {
    return once(this.socket, 'open');
  }

  async joined(): Promise<void> {
    await this.#until(() => this.texts.includes('joined'));
  }

  /** The next frames of the other side. */
  async take(count: number): Promise<Buffer[]> {
    await this.#until(() => this.frames.length >= count);
    return this.frames.splice(0, count);
  }

  async #until(isReached: () => boolean): Promise<void> {
    while (!isReached()) {
      if (this.#end !== undefined) throw new Error(`the relay closed the connection: ${JSON.stringify(this.#end)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

export function meetingName(meeting: number): string {
  return toBase64Url(new Uint8Array(16).fill(meeting));
}
