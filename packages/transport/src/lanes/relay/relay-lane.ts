import { ModelRtcError } from '@model-rtc/protocol';
import type { RelayChannel } from '@model-rtc/signaling/client';
import { laneLostError } from '../../core/lane/lane-end.ts';
import { WindowedLane } from '../../core/lane/windowed-lane.ts';
import { FRAME_MESSAGE, FRAME_WORD, FrameOpener, FrameSealer } from './frame-seal.ts';
import type { RelayCrypto } from './relay-crypto.ts';
import type { RelayKeys } from './relay-keys.ts';
import { SendQueue } from './send-queue.ts';

/** A quarter of a chunk of 1 MiB with its head. Sealed, it fits into what the relay takes. */
const MAX_MESSAGE_BYTES = 257 * 1024;

/**
 * A lane through the signaling server, sealed between the two ends of it. Control words are sealed like messages. With a
 * window, the connection itself is always read, so the relay's pings are answered however slow the reader is. And
 * since the end is said inside the seal, the relay cannot fake it by cutting the connection.
 */
export class RelayLane extends WindowedLane {
  readonly kind = 'relay';
  readonly engine = undefined;
  readonly maxMessageSize = MAX_MESSAGE_BYTES;
  protected readonly outgoing: SendQueue;
  readonly #channel: RelayChannel;
  readonly #sealer: FrameSealer;
  readonly #opener: FrameOpener;

  constructor(crypto: RelayCrypto, channel: RelayChannel, keys: RelayKeys) {
    super();
    this.#channel = channel;
    this.#sealer = new FrameSealer(crypto, keys.sending);
    this.#opener = new FrameOpener(crypto, keys.receiving);
    this.outgoing = new SendQueue(
      (message) => this.#sendFrame(FRAME_MESSAGE, message),
      () => channel.unsentBytes,
    );
  }

  /** Grants the first credit and starts to read. */
  start(): void {
    this.begin();
    void this.#receive();
  }

  async #receive(): Promise<void> {
    let hasOpened = false;
    for await (const sealed of this.#channel.frames) {
      const frame = this.#opener.open(sealed);
      if (frame === undefined) this.finish(hasOpened ? tamperedError() : otherKeyError());
      if (frame === undefined || this.isOver) return;
      hasOpened = true;
      if (frame.kind === FRAME_MESSAGE) this.takeMessage(frame.body);
      else if (frame.kind === FRAME_WORD) this.takeWord(new TextDecoder().decode(frame.body));
    }
    this.finish(laneLostError(await this.#channel.closed));
  }

  protected sendWord(word: string): void {
    void this.#sendFrame(FRAME_WORD, new TextEncoder().encode(word));
  }

  protected release(error: ModelRtcError | undefined): void {
    if (error === undefined) this.#channel.close();
    else this.#channel.abort();
  }

  /** Resolves when there is room for more. A channel that ended also ends its frames. */
  #sendFrame(kind: number, body: Uint8Array): Promise<void> {
    return this.#channel.send(this.#sealer.seal(kind, body)).catch(() => {});
  }
}

function tamperedError(): ModelRtcError {
  return new ModelRtcError(
    'refused',
    'The relay changed, repeated or dropped data on the way. Use another signaling server.',
  );
}

function otherKeyError(): ModelRtcError {
  return new ModelRtcError(
    'refused',
    'The first frame at the relay does not open: the other side derived other keys, or the relay changed it. Try again; if it keeps happening, run the same version of model-rtc on both sides, or use another signaling server.',
  );
}
