import { deferred, ModelRtcError } from '@model-rtc/protocol';
import { MAX_RELAY_FRAME_BYTES, MAX_UNREAD_RELAY_BYTES, MEETING_BUFFER_BYTES } from '../limits.ts';
import { relayBrokeRules, relayClosed, relayLost, relayRefusal, tooMuchUnread } from './relay-errors.ts';
import type { ClientWebSocket, OpenWebSocket } from './web-socket.ts';

/** The text that the relay sends once both sides are there. Other texts are ignored. */
const JOINED = 'joined';

/**
 * One side's end of a meeting at a relay: frames to and from the other side, by way of a server that cannot be trusted
 * with anything but carrying them. Nothing here notices a server that falls silent: its owner has to.
 */
export interface RelayChannel {
  /**
   * Gives one frame to the network. It is not copied: it must not be changed any more.
   *
   * @param frame 1 byte to 258 KiB
   * @returns a promise that resolves when there is room for more
   * @throws ModelRtcError `network` when the channel has ended
   */
  send(frame: Uint8Array): Promise<void>;
  /** Bytes of frames that are not on the network yet. */
  readonly unsentBytes: number;
  /** What the other side sent, in order. One reader. While it is behind, nothing more is read from the network. It never throws. */
  readonly frames: AsyncIterable<Uint8Array>;
  /** Resolves when the channel has ended: undefined when this side closed it, else why. It never rejects. */
  readonly closed: Promise<ModelRtcError | undefined>;
  /** Ends the channel. What was sent goes out still. */
  close(): void;
  /** Ends the channel at once, losing what is on its way. */
  abort(): void;
}

/** A connection to a relay, before and after the other side is there. A failure to connect is an end. */
export class RelayConnection implements RelayChannel {
  readonly #closed = deferred<ModelRtcError | undefined>();
  readonly #joined = deferred<void>();
  readonly #server: string;
  readonly #socket: ClientWebSocket;
  readonly #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  #isJoined = false;
  #isPaused = false;
  #end: { readonly reason: ModelRtcError | undefined } | undefined;
  #wakeReader: () => void = () => {};
  readonly #waitingSends: { resolve(): void; reject(error: ModelRtcError): void }[] = [];

  /** @param url where it dials. @param server how people know it, for errors. */
  constructor(url: string, server: string, openWebSocket: OpenWebSocket) {
    this.#server = server;
    this.joined.catch(() => {}); // The caller need not await it.
    this.#socket = this.#open(url, openWebSocket);
  }

  get closed(): Promise<ModelRtcError | undefined> {
    return this.#closed.promise;
  }

  /** Resolves when the other side is there. @throws why the connection ended before. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  get frames(): AsyncIterable<Uint8Array> {
    return { [Symbol.asyncIterator]: () => this.#read() };
  }

  get unsentBytes(): number {
    return this.#socket.unsentBytes;
  }

  async send(frame: Uint8Array): Promise<void> {
    if (this.#end !== undefined) throw this.#end.reason ?? channelClosed();
    this.#socket.send(frame, (error) => {
      if (error) this.fail(relayLost(this.#server, error));
      else this.#wakeSenders();
    });
    if (this.unsentBytes <= MEETING_BUFFER_BYTES) return;
    await new Promise<void>((resolve, reject) => this.#waitingSends.push({ resolve, reject }));
  }

  close(): void {
    if (this.#finish(undefined)) this.#socket.close();
  }

  abort(): void {
    this.#finish(undefined);
    this.#socket.terminate();
  }

  /** Ends it for a reason of this side's own. */
  fail(reason: ModelRtcError): void {
    this.#finish(reason);
    this.#socket.terminate();
  }

  #open(url: string, openWebSocket: OpenWebSocket): ClientWebSocket {
    return openWebSocket({
      url,
      maxFrameBytes: MAX_RELAY_FRAME_BYTES,
      isSealed: true,
      events: {
        text: (text) => this.#onText(text),
        binary: (frame) => this.#onFrame(frame),
        refused: (status) => this.fail(relayRefusal(this.#server, status)),
        failed: (error) => this.fail(relayLost(this.#server, error)),
        closed: (code, reason) => this.#finish(relayClosed(this.#server, code, reason)),
      },
    });
  }

  #onText(text: string): void {
    if (this.#end !== undefined || text !== JOINED) return;
    this.#isJoined = true;
    this.#joined.resolve();
  }

  #onFrame(frame: Uint8Array): void {
    if (this.#end !== undefined) return;
    if (!this.#isJoined) {
      this.fail(relayBrokeRules(this.#server));
      return;
    }
    this.#unread.push(frame);
    this.#unreadBytes += frame.length;
    if (this.#unreadBytes > MAX_UNREAD_RELAY_BYTES) this.fail(tooMuchUnread(this.#server));
    else if (this.#unreadBytes > MEETING_BUFFER_BYTES) this.#pause();
    this.#wakeReader();
  }

  async *#read(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const frame = this.#unread.shift();
      if (frame !== undefined) {
        this.#unreadBytes -= frame.length;
        if (this.#unreadBytes <= MEETING_BUFFER_BYTES / 2) this.#resume();
        yield frame;
      } else if (this.#end !== undefined) return;
      else await new Promise<void>((wake) => (this.#wakeReader = wake));
    }
  }

  #pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  #resume(): void {
    if (this.#isPaused) this.#socket.resume();
    this.#isPaused = false;
  }

  #wakeSenders(): void {
    if (this.unsentBytes > MEETING_BUFFER_BYTES / 2) return;
    for (const { resolve } of this.#waitingSends.splice(0)) resolve();
  }

  /** @returns whether this was what ended it. */
  #finish(reason: ModelRtcError | undefined): boolean {
    if (this.#end !== undefined) return false;
    this.#end = { reason };
    this.#wakeReader();
    for (const { reject } of this.#waitingSends.splice(0)) reject(reason ?? channelClosed());
    this.#joined.reject(reason ?? channelClosed());
    this.#closed.resolve(reason);
    return true;
  }
}

function channelClosed(): ModelRtcError {
  return new ModelRtcError('network', 'The connection to the relay is closed; connect again.');
}
