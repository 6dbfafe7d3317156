import { setTimeout } from 'node:timers/promises';
import { ModelRtcError } from '@model-rtc/protocol';
import { type RTCDataChannel, RTCPeerConnection } from 'werift';
import { renderDescription, type SessionDescription } from './description.ts';
import type { ConnectionEvents, ConnectOptions, EngineConnection, WebRtcEngine } from './engine.ts';
import { w3cIceServers } from './ice-servers.ts';
import { assertHandshakeSigned } from './werift-handshake.ts';
import { acknowledgeTogether, ignoreMalformedPackets } from './werift-sctp.ts';

/** Marks above 1 MiB halve its speed; it gains nothing above this one. */
const HIGH_WATER_MARK = 256 * 1024;
/** It accepts larger messages, but those above 1 MiB stall for good. This is the size that it advertises. */
const MAX_MESSAGE_SIZE = 64 * 1024;

/**
 * werift's congestion window counts bytes alone, so it sends a thousand tiny messages as a thousand packets at once.
 * They overflow the other side's socket, and each loss costs a second or more.
 */
const MAX_UNACKNOWLEDGED_MESSAGES = 64;
/** A packet leaves this machine within this time, though werift says that it was sent before it was. */
const FAREWELL_MS = 50;
/** On the last chunk of a message (RFC 9260, section 3.3.1). */
const LAST_FRAGMENT = 0x01;

/** The engine on werift, which is pure TypeScript and so runs everywhere. */
export function createWeriftEngine(): WebRtcEngine {
  return {
    name: 'werift',
    maxMessageSize: MAX_MESSAGE_SIZE,
    answererHeadStartMs: 0,
    highWaterMark: HIGH_WATER_MARK,
    connect: (options) => new WeriftConnection(options),
  };
}

class WeriftConnection implements EngineConnection {
  readonly #events: ConnectionEvents;
  readonly #connection: RTCPeerConnection;
  readonly #channel: RTCDataChannel;
  /** Resolves when our description is set and the candidates are gathered. */
  #described = Promise.resolve();
  #mid = '0';
  #over = false;

  constructor({ iceServers, events }: ConnectOptions) {
    this.#events = events;
    // Left out, `iceServers` would be a public STUN server.
    this.#connection = new RTCPeerConnection({
      iceServers: w3cIceServers(iceServers),
      maxMessageSize: MAX_MESSAGE_SIZE,
      bundlePolicy: 'max-bundle',
    });
    this.#connection.onIceCandidate.subscribe((candidate) => {
      if (this.#over || candidate?.candidate === undefined || candidate.candidate === '') return;
      events.onCandidate({ candidate: candidate.candidate, mid: candidate.sdpMid ?? '0' });
    });
    this.#connection.connectionStateChange.subscribe((state) => {
      if (state === 'failed' || state === 'closed') this.#lose(new Error(`connection ${state}`));
    });
    this.#channel = this.#connection.createDataChannel('lane', { negotiated: true, id: 0, ordered: true });
    ignoreMalformedPackets(this.#connection);
    this.#listen();
  }

  #listen(): void {
    const channel = this.#channel;
    channel.bufferedAmountLowThreshold = HIGH_WATER_MARK / 2;
    channel.stateChanged.subscribe((state) => {
      if (state === 'open') this.#open();
      else if (state === 'closed') this.#lose(new Error('channel closed'));
    });
    channel.onMessage.subscribe((message) => {
      if (!this.#over) this.#events.onMessage(message);
    });
    channel.bufferedAmountLow.subscribe(() => {
      if (!this.#over) this.#events.onRoom();
    });
    channel.error.subscribe((error) => this.#lose(error));
  }

  #open(): void {
    if (this.#over) return;
    try {
      assertHandshakeSigned(this.#connection);
      acknowledgeTogether(this.#connection);
    } catch (error) {
      this.#lose(error);
      return;
    }
    this.#events.onOpen();
  }

  async createOffer(): Promise<string> {
    const offer = await this.#connection.createOffer();
    this.#described = this.#describe(offer);
    return offer.sdp;
  }

  async acceptOffer(offer: SessionDescription): Promise<string> {
    this.#mid = offer.mid;
    await this.#connection.setRemoteDescription({ type: 'offer', sdp: renderDescription(offer) });
    const answer = await this.#connection.createAnswer();
    this.#described = this.#describe(answer);
    return answer.sdp;
  }

  /** Resolves only when all candidates are gathered. Do not wait for it: candidates trickle. */
  async #describe(description: Awaited<ReturnType<RTCPeerConnection['createOffer']>>): Promise<void> {
    try {
      await this.#connection.setLocalDescription(description);
    } catch (error) {
      this.#lose(error);
    }
  }

  async acceptAnswer(answer: SessionDescription): Promise<void> {
    this.#mid = answer.mid;
    await this.#connection.setRemoteDescription({ type: 'answer', sdp: renderDescription(answer) });
  }

  async addCandidate(candidate: string): Promise<void> {
    if (!this.#over) await this.#connection.addIceCandidate({ candidate, sdpMid: this.#mid });
  }

  /** The library keeps what it is given until it is acknowledged, so it gets a copy. */
  send(message: Uint8Array | string): void {
    if (this.#over) throw new ModelRtcError('network', 'The WebRTC connection is closed; connect again.');
    this.#channel.send(typeof message === 'string' ? message : Buffer.from(message));
  }

  /** Full as well when too many messages are unacknowledged, whatever their size. */
  bufferedAmount(): number {
    if (this.#over) return 0;
    const bytes = this.#channel.bufferedAmount;
    return unacknowledgedMessages(this.#connection) < MAX_UNACKNOWLEDGED_MESSAGES
      ? bytes
      : Math.max(bytes, HIGH_WATER_MARK);
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#release();
  }

  #lose(cause: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#release();
    this.#events.onLost(cause);
  }

  /**
   * `close` alone takes the sockets away before SCTP has said that it ends, and the other side would wait for half a
   * minute. Where nothing can be said any more, or the end comes twice, nothing is lost.
   */
  #release(): void {
    if (this.#channel.readyState === 'open') this.#connection.sctpTransport?.sctp?.abort().catch(() => {});
    setTimeout(FAREWELL_MS)
      .then(() => this.#connection.close())
      .then(() => endHandshake(this.#connection))
      .then(() => this.#described)
      // What was still gathering candidates went on to open sockets, which only a second close takes away.
      .then(() => Promise.all(this.#connection.iceTransports.map((transport) => transport.connection.close())))
      .catch(() => {});
  }
}

/** After `close` werift still repeats the flight of a handshake that did not end, and keeps the process for half a minute. */
function endHandshake(connection: RTCPeerConnection): void {
  for (const { dtls } of connection.dtlsTransports) if (dtls !== undefined) dtls.dtls.flight = Number.POSITIVE_INFINITY;
}

function unacknowledgedMessages(connection: RTCPeerConnection): number {
  const sctp = connection.sctpTransport?.sctp;
  if (sctp === undefined) return 0;
  // biome-ignore lint/complexity/useLiteralKeys: private to werift, whose version is pinned; nothing public tells it
  const sent: typeof sctp.outboundQueue = sctp['sentQueue'];
  return countMessages(sctp.outboundQueue) + countMessages(sent);
}

function countMessages(chunks: readonly { readonly flags: number }[]): number {
  let count = 0;
  for (const { flags } of chunks) count += flags & LAST_FRAGMENT;
  return count;
}
