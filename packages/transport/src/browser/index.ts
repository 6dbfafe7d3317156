/** What a page needs to reach a worker. The types, and what else it may use, are in `@model-rtc/transport/core`. */
export {
  createBrowserEngine,
  type W3cPeerConnection,
  type W3cPeerConnectionConstructor,
} from '../lanes/webrtc/browser-engine.ts';
export { type BrowserPlatform, connectToSession } from './create.ts';
