import { ModelRtcError } from '@model-rtc/protocol';
import type * as NodeDataChannel from 'node-datachannel';
import { MAX_LANE_MESSAGE_SIZE, renderDescription, type SessionDescription } from './description.ts';
import type { ConnectionEvents, ConnectOptions, EngineConnection, WebRtcEngine } from './engine.ts';
import { nativeIceServers } from './ice-servers.ts';

const HIGH_WATER_MARK = 256 * 1024;
/**
 * What usrsctp itself holds of one association. With what waits before it, this is what a pong or an answer is behind: on a
 * slow path the library's own 1 MiB is a second or two. A long and clean path is filled by several associations.
 */
const SEND_BUFFER_BYTES = 256 * 1024;
/**
 * Packets that reach libdatachannel before it counts itself connected are dropped, and the handshake's first one comes again only
 * after a second. Its checks are 50 ms apart, so those of one side may be that much behind the other's. docs/decisions/candidates-after-answer.md
 */
const ANSWERER_HEAD_START_MS = 25;
/** Above some 4100 bytes no connection opens: libdatachannel and libjuice read into buffers of 4096. */
const MAX_MTU = 4000;

/**
 * The engine on node-datachannel (libdatachannel), an optional dependency.
 *
 * @returns undefined where it is not installed or does not load, as on a platform that it has no binary for
 */
export async function loadNativeEngine(): Promise<WebRtcEngine | undefined> {
  let library: typeof NodeDataChannel;
  try {
    library = await import('node-datachannel');
  } catch {
    return undefined;
  }
  library.setSctpSettings({ sendBufferSize: SEND_BUFFER_BYTES });
  return {
    name: 'native',
    maxMessageSize: MAX_LANE_MESSAGE_SIZE,
    highWaterMark: HIGH_WATER_MARK,
    maxMtu: MAX_MTU,
    answererHeadStartMs: ANSWERER_HEAD_START_MS,
    connect: (options) => new NativeConnection(library, options),
  };
}

class NativeConnection implements EngineConnection {
  readonly #events: ConnectionEvents;
  readonly #connection: NodeDataChannel.PeerConnection;
  readonly #channel: NodeDataChannel.DataChannel;
  readonly #described: Promise<string>;
  #mid = '0';
  #over = false;

  constructor(library: typeof NodeDataChannel, { iceServers, events, mtu }: ConnectOptions) {
    this.#events = events;
    this.#connection = new library.PeerConnection('model-rtc', {
      iceServers: nativeIceServers(iceServers),
      maxMessageSize: MAX_LANE_MESSAGE_SIZE,
      disableAutoNegotiation: true,
      ...(mtu === undefined ? {} : { mtu }),
    });
    this.#described = new Promise((resolve) => this.#connection.onLocalDescription((sdp) => resolve(sdp)));
    this.#connection.onLocalCandidate((candidate, mid) => {
      if (!this.#over) events.onCandidate({ candidate: candidate.replace(/^a=/, ''), mid });
    });
    this.#connection.onStateChange((state) => {
      if (state === 'failed' || state === 'disconnected' || state === 'closed') this.#lose(`connection ${state}`);
    });
    this.#channel = this.#connection.createDataChannel('lane', { negotiated: true, id: 0 });
    this.#listen();
  }

  /**
   * Sets all of the channel's callbacks, even those that do nothing: those that are missing when it closes
   * keep the process from exiting.
   */
  #listen(): void {
    const channel = this.#channel;
    channel.setBufferedAmountLowThreshold(HIGH_WATER_MARK / 2);
    channel.onOpen(() => {
      if (!this.#over) this.#events.onOpen();
    });
    channel.onMessage((message) => {
      if (this.#over) return;
      this.#events.onMessage(message instanceof ArrayBuffer ? new Uint8Array(message) : message);
    });
    channel.onBufferedAmountLow(() => {
      if (!this.#over) this.#events.onRoom();
    });
    channel.onError((reason) => this.#lose(`channel error: ${reason}`));
    channel.onClosed(() => this.#lose('channel closed'));
  }

  async createOffer(): Promise<string> {
    this.#connection.setLocalDescription('offer');
    return this.#described;
  }

  async acceptOffer(offer: SessionDescription): Promise<string> {
    this.#acceptDescription(offer);
    this.#connection.setLocalDescription('answer');
    return this.#described;
  }

  async acceptAnswer(answer: SessionDescription): Promise<void> {
    this.#acceptDescription(answer);
  }

  #acceptDescription(description: SessionDescription): void {
    this.#mid = description.mid;
    this.#connection.setRemoteDescription(renderDescription(description), description.type);
  }

  async addCandidate(candidate: string): Promise<void> {
    if (!this.#over) this.#connection.addRemoteCandidate(candidate, this.#mid);
  }

  /** `false` from the library only says that the message was buffered. It copies the bytes before it returns. */
  send(message: Uint8Array | string): void {
    if (this.#over) throw new ModelRtcError('network', 'The WebRTC connection is closed; connect again.');
    if (typeof message === 'string') this.#channel.sendMessage(message);
    else this.#channel.sendMessageBinary(message);
  }

  bufferedAmount(): number {
    return this.#over ? 0 : this.#channel.bufferedAmount();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#release();
  }

  #lose(cause: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#release();
    this.#events.onLost(new Error(cause));
  }

  /** The library throws for what is closed already, and both may be by the other side's doing. */
  #release(): void {
    for (const part of [this.#channel, this.#connection]) {
      try {
        part.close();
      } catch {
        // Closed already, which is what is wanted.
      }
    }
  }
}
