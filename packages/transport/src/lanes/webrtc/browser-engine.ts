import { ModelRtcError } from '@model-rtc/protocol';
import { MAX_LANE_MESSAGE_SIZE, renderDescription, type SessionDescription } from './description.ts';
import type { ConnectionEvents, ConnectOptions, EngineConnection, WebRtcEngine } from './engine.ts';
import { w3cIceServers } from './ice-servers.ts';

/** What is used of the W3C's RTCPeerConnection (https://www.w3.org/TR/webrtc/). */
export interface W3cPeerConnection {
  /** Missing in Firefox before 113. */
  readonly connectionState?: string | undefined;
  readonly iceConnectionState: string;
  readonly sctp?: { readonly maxMessageSize: number | null } | null | undefined;
  onicecandidate: ((event: CandidateEvent & never) => unknown) | null;
  onconnectionstatechange: ((event: never) => unknown) | null;
  oniceconnectionstatechange: ((event: never) => unknown) | null;
  createDataChannel(label: string, init: { negotiated: boolean; id: number; ordered: boolean }): W3cDataChannel;
  createOffer(): Promise<W3cDescription>;
  createAnswer(): Promise<W3cDescription>;
  setLocalDescription(description: { type: 'offer' | 'answer'; sdp: string }): Promise<void>;
  setRemoteDescription(description: { type: 'offer' | 'answer'; sdp: string }): Promise<void>;
  addIceCandidate(candidate: { candidate: string; sdpMid: string }): Promise<void>;
  close(): void;
}

export interface W3cDataChannel {
  binaryType: string;
  bufferedAmountLowThreshold: number;
  readonly bufferedAmount: number;
  readonly readyState: string;
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: { readonly data: unknown } & never) => unknown) | null;
  onbufferedamountlow: ((event: never) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
  onclose: ((event: never) => unknown) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export type W3cPeerConnectionConstructor = new (configuration: {
  iceServers: { urls: string; username?: string; credential?: string }[];
}) => W3cPeerConnection;

interface W3cDescription {
  readonly sdp?: string | undefined;
}

interface CandidateEvent {
  readonly candidate: { readonly candidate: string; readonly sdpMid: string | null } | null;
}

/** Chromium throws above 16 MiB; more than this makes no browser faster. */
const HIGH_WATER_MARK = 256 * 1024;
/** How long the end of the channel has to reach the other side, before the connection goes that carries it. */
const FAREWELL_MS = 50;

/**
 * The engine over a browser's own WebRTC.
 *
 * @param PeerConnection `globalThis.RTCPeerConnection` of a browser, or one of the same shape
 */
export function createBrowserEngine(PeerConnection: W3cPeerConnectionConstructor): WebRtcEngine {
  return {
    name: 'browser',
    maxMessageSize: MAX_LANE_MESSAGE_SIZE,
    highWaterMark: HIGH_WATER_MARK,
    answererHeadStartMs: 0,
    connect: (options) => new BrowserConnection(PeerConnection, options),
  };
}

class BrowserConnection implements EngineConnection {
  readonly #events: ConnectionEvents;
  readonly #connection: W3cPeerConnection;
  readonly #channel: W3cDataChannel;
  #mid = '0';
  #over = false;

  constructor(PeerConnection: W3cPeerConnectionConstructor, { iceServers, events }: ConnectOptions) {
    this.#events = events;
    this.#connection = new PeerConnection({ iceServers: w3cIceServers(iceServers) });
    this.#channel = this.#connection.createDataChannel('lane', { negotiated: true, id: 0, ordered: true });
    this.#listenToConnection();
    this.#listenToChannel();
  }

  #listenToConnection(): void {
    const connection = this.#connection;
    connection.onicecandidate = ({ candidate }: CandidateEvent) => {
      // An empty text and null mark the end.
      if (this.#over || candidate === null || candidate.candidate === '') return;
      this.#events.onCandidate({ candidate: candidate.candidate, mid: candidate.sdpMid ?? '0' });
    };
    // `disconnected` may pass in a browser; a peer that hears nothing for too long ends by itself.
    const onState = () => {
      const state = connection.connectionState ?? connection.iceConnectionState;
      if (state === 'failed' || state === 'closed') this.#lose(`connection ${state}`);
    };
    connection.onconnectionstatechange = onState;
    connection.oniceconnectionstatechange = onState;
  }

  #listenToChannel(): void {
    const channel = this.#channel;
    // Firefox would give blobs, which can be read only later.
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = HIGH_WATER_MARK / 2;
    channel.onopen = () => {
      if (!this.#over) this.#events.onOpen(this.#connection.sctp?.maxMessageSize ?? undefined);
    };
    channel.onmessage = ({ data }: { readonly data: unknown }) => {
      if (!this.#over) this.#events.onMessage(typeof data === 'string' ? data : new Uint8Array(data as ArrayBuffer));
    };
    channel.onbufferedamountlow = () => {
      if (!this.#over) this.#events.onRoom();
    };
    channel.onerror = ({ error }: { readonly error?: unknown }) => this.#lose(`channel error: ${error}`);
    channel.onclose = () => this.#lose('channel closed');
  }

  async createOffer(): Promise<string> {
    return await this.#describe('offer', await this.#connection.createOffer());
  }

  async acceptOffer(offer: SessionDescription): Promise<string> {
    await this.#acceptDescription(offer);
    return await this.#describe('answer', await this.#connection.createAnswer());
  }

  async acceptAnswer(answer: SessionDescription): Promise<void> {
    await this.#acceptDescription(answer);
  }

  async #describe(type: 'offer' | 'answer', { sdp = '' }: W3cDescription): Promise<string> {
    await this.#connection.setLocalDescription({ type, sdp });
    return sdp;
  }

  async #acceptDescription(description: SessionDescription): Promise<void> {
    this.#mid = description.mid;
    await this.#connection.setRemoteDescription({ type: description.type, sdp: renderDescription(description) });
  }

  async addCandidate(candidate: string): Promise<void> {
    if (!this.#over) await this.#connection.addIceCandidate({ candidate, sdpMid: this.#mid });
  }

  send(message: Uint8Array | string): void {
    if (this.#over) throw new ModelRtcError('network', 'The WebRTC connection is closed; connect again.');
    this.#channel.send(message as string | Uint8Array<ArrayBuffer>);
  }

  bufferedAmount(): number {
    return this.#over ? 0 : this.#channel.bufferedAmount;
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    // A connection that is closed takes with it what was not sent yet, the end of its channel included.
    if (this.#channel.readyState === 'open') this.#channel.close();
    setTimeout(() => this.#connection.close(), FAREWELL_MS);
  }

  #lose(cause: string): void {
    if (this.#over) return;
    this.close();
    this.#events.onLost(new Error(cause));
  }
}
