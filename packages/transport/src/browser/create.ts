import { ModelRtcError } from '@model-rtc/protocol';
import { createSignalingClient, type W3cWebSocketConstructor, w3cWebSocket } from '@model-rtc/signaling/client';
import type { AskLane, AttemptKind, EngineChoice } from '../core/connect/components.ts';
import { type ConnectToSessionOptions, connectToSessionWith } from '../core/connect/connect-to-session.ts';
import type { Peer } from '../core/peer/peer.ts';
import { nobleCrypto } from '../lanes/relay/noble-crypto.ts';
import { relayAskerOn } from '../lanes/relay/set-up.ts';
import { createBrowserEngine, type W3cPeerConnectionConstructor } from '../lanes/webrtc/browser-engine.ts';
import { askWebRtc } from '../lanes/webrtc/connect-lane.ts';

/** What a page has: `globalThis`, or stand-ins of the same shape. */
export interface BrowserPlatform {
  readonly WebSocket: W3cWebSocketConstructor;
  /** Missing in a web worker, which has relay lanes alone. */
  readonly RTCPeerConnection?: W3cPeerConnectionConstructor | undefined;
}

/**
 * Connects to the worker that issued a token, from a page: over webrtc and relay lanes.
 *
 * @param platform `globalThis` when left out
 * @throws ModelRtcError as `connectToSessionWith`
 */
export async function connectToSession(
  options: ConnectToSessionOptions,
  platform: BrowserPlatform = globalThis as unknown as BrowserPlatform,
): Promise<Peer> {
  const { RTCPeerConnection } = platform;
  const { visit, meetAtRelay } = createSignalingClient(w3cWebSocket(platform.WebSocket));
  const relay = relayAskerOn({ meetAtRelay, crypto: nobleCrypto });
  const ask: Partial<Record<AttemptKind, AskLane>> =
    RTCPeerConnection === undefined ? { relay } : { webrtc: askWebRtc, relay };
  const loadEngine = async (choice: EngineChoice) => {
    if (choice === 'auto' && RTCPeerConnection !== undefined) return createBrowserEngine(RTCPeerConnection);
    throw new ModelRtcError(
      'bad_argument',
      `A page has its browser's own WebRTC engine, not "${choice}"; leave the engine out.`,
    );
  };
  // A browser does not tell how busy the processor is.
  const createCpuLoad = () => ({ isBound: () => false });
  return await connectToSessionWith({ visit, ask, loadEngine, createCpuLoad }, options);
}
