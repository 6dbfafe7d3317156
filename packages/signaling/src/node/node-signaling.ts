import { createSignalingClient } from '../client/create-client.ts';
import { openWsWebSocket } from './ws-web-socket.ts';

/** The client side of signaling over `ws`. */
export const nodeSignaling = createSignalingClient(openWsWebSocket);
export const visit = nodeSignaling.visit;
export const joinAsWorker = nodeSignaling.joinAsWorker;
export const meetAtRelay = nodeSignaling.meetAtRelay;
