import type { ModelRtcError } from '@model-rtc/protocol';
import { encodePad } from '../../core/lane/lane-control.ts';
import { laneLostError } from '../../core/lane/lane-end.ts';
import { WindowedLane } from '../../core/lane/windowed-lane.ts';
import type { ConnectionEvents, EngineConnection, WebRtcEngine } from './engine.ts';
import { SendBuffer } from './send-buffer.ts';

/** A lane over one engine's connection: messages are binary on its channel, and words are text. */
export class WebRtcLane extends WindowedLane {
  readonly kind = 'webrtc';
  readonly engine: string;
  protected readonly outgoing: SendBuffer;
  readonly #connection: EngineConnection;
  #maxMessageSize: number;

  /**
   * @param connect makes the connection, and tells it to report to the given events
   * @param mtu the largest IP packets that it sends, in bytes, where it was told to send larger ones than by itself
   */
  constructor(
    engine: WebRtcEngine,
    connect: (events: Omit<ConnectionEvents, 'onCandidate'>) => EngineConnection,
    mtu?: number | undefined,
  ) {
    super();
    this.engine = engine.name;
    this.#maxMessageSize = engine.maxMessageSize;
    this.#connection = connect({
      onOpen: (maxMessageSize = Number.POSITIVE_INFINITY) => {
        this.limitMessageSize(maxMessageSize);
        this.begin(mtu === undefined ? undefined : encodePad(mtu, this.#maxMessageSize));
      },
      onMessage: (message) => (typeof message === 'string' ? this.takeWord(message) : this.takeMessage(message)),
      onRoom: () => this.outgoing.pump(),
      onLost: (cause) => this.finish(laneLostError(cause)),
    });
    this.outgoing = new SendBuffer(this.#connection, engine.highWaterMark, (cause) =>
      this.finish(laneLostError(cause)),
    );
  }

  get connection(): EngineConnection {
    return this.#connection;
  }

  get maxMessageSize(): number {
    return this.#maxMessageSize;
  }

  /** What both sides can take; before the lane is open. */
  limitMessageSize(bytes: number): void {
    this.#maxMessageSize = Math.min(this.#maxMessageSize, bytes);
  }

  protected sendWord(word: string): void {
    this.#connection.send(word);
  }

  protected release(_error: ModelRtcError | undefined): void {
    this.#connection.close();
  }
}
