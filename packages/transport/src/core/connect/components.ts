import type { ExchangeMessage, Log } from '@model-rtc/protocol';
import type { SignalingClient } from '@model-rtc/signaling/client';
import type { EngineName, IceServer, WebRtcEngine } from '../../lanes/webrtc/engine.ts';
import type { Lane } from '../lane/lane.ts';
import type { LaneChannel } from './lane-channel.ts';
import type { Mailbox } from './mailbox.ts';

/** The kinds of lanes between machines, the better first. */
export const LANE_CHOICES = ['direct', 'webrtc', 'relay'] as const;
export type AttemptKind = (typeof LANE_CHOICES)[number];

export type EngineChoice = 'auto' | EngineName;

export interface AttemptOptions {
  readonly channel: LaneChannel;
  /** Called when a webrtc lane is tried. */
  readonly engine: () => Promise<WebRtcEngine>;
  readonly iceServers?: readonly IceServer[] | undefined;
  /** For a webrtc lane: the largest IP packets that it should carry, in bytes. */
  readonly mtu?: number | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Opens one lane of a kind as the side that asks for it.
 * @param lane its number, the same on both sides
 * @param mailbox the other side's messages about it
 * @throws ModelRtcError `network` or `timeout` when it does not open (`isUnavailable` if it never will), `cancelled`, the
 * other side's refusal
 */
export type AskLane = (lane: number, mailbox: Mailbox, options: AttemptOptions) => Promise<Lane>;

/** Opens one lane of this kind. @throws as `AskLane` */
export type AttemptLane = (kind: AttemptKind, options: AttemptOptions) => Promise<Lane>;

/** The message that starts a lane. */
export type LaneAsk = Extract<ExchangeMessage, { type: 'offer' | 'direct_ask' | 'relay_ask' }>;

/** Answers one offer or ask, which is the first message of `receive`, and what follows about that lane. */
export type AnswerLane = (options: {
  readonly lane: number;
  readonly first: LaneAsk;
  readonly receive: AsyncIterable<ExchangeMessage>;
  readonly send: (message: ExchangeMessage) => Promise<void>;
  readonly signal: AbortSignal;
}) => Promise<Lane>;

export type DirectOffer = Extract<ExchangeMessage, { type: 'direct_offer' }>;

export interface ExpectLaneOptions {
  /** Stops waiting and withdraws the offer. */
  readonly signal?: AbortSignal | undefined;
  /** How long the offer is valid; 15 s when left out. */
  readonly timeoutMs?: number | undefined;
}

export interface ExpectedLane {
  /** For this client only: anyone who has it can take the lane. */
  readonly offer: DirectOffer;
  /** Rejects with `timeout`, `cancelled`, or `network` when the listener is closed. It need not be awaited. */
  readonly lane: Promise<Lane>;
}

/** Where clients can connect directly. */
export interface DirectListener {
  readonly port: number;
  /**
   * Expects one lane.
   * @param lane its number, the same on both sides
   * @throws ModelRtcError `busy` when too many lanes are expected; `network` when the listener is closed
   */
  expect(lane: number, options?: ExpectLaneOptions): ExpectedLane;
  /** Stops listening. Open lanes stay open: they belong to their owners. */
  close(): Promise<void>;
}

export interface AnswerLaneOptions {
  readonly engine: WebRtcEngine;
  readonly iceServers?: readonly IceServer[] | undefined;
  /** Without it, the worker gives no direct lanes. */
  readonly direct?: DirectListener | undefined;
  /** The visitor's signaling server, where both can meet. */
  readonly serverUrl: string;
  readonly log?: Log | undefined;
}

/** Tells whether the processor is the bottleneck. */
export interface CpuLoad {
  /** Whether it had almost nothing left since the last call. False where the system does not tell. */
  isBound(): boolean;
}

/** What connecting needs from its platform: see `node/create.ts` and `browser/create.ts`. */
export interface ConnectComponents {
  readonly visit: SignalingClient['visit'];
  /** How each kind of lane is asked for; a kind that is left out is never tried. */
  readonly ask: Readonly<Partial<Record<AttemptKind, AskLane>>>;
  /** @throws ModelRtcError `bad_argument` when the engine does not load */
  readonly loadEngine: (choice: EngineChoice) => Promise<WebRtcEngine>;
  readonly createCpuLoad: () => CpuLoad;
}

/** What accepting clients needs from its platform. */
export interface AcceptComponents {
  readonly loadEngine: (choice: EngineChoice) => Promise<WebRtcEngine>;
  /** How a worker gives the lane that is asked for. */
  readonly createAnswer: (options: AnswerLaneOptions) => AnswerLane;
}
