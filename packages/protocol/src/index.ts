export * from './alias.ts';
export * from './base64url.ts';
export * from './cancelled.ts';
export * from './catalog.ts';
export * from './checked-text.ts';
export * from './clock.ts';
export * from './codec.ts';
export * from './contents.ts';
export * from './deferred.ts';
export * from './digest.ts';
export * from './entry.ts';
export * from './error-facts.ts';
export * from './errors.ts';
export * from './exchange.ts';
export * from './format-bytes.ts';
export * from './fragments.ts';
export * from './frame.ts';
export { FRAGMENT_HEADER_BYTES, isFrame, isUnknownFrame } from './frame-head.ts';
export { type GivenNames, givenName } from './given-name.ts';
export * from './identity.ts';
export * from './job-requests.ts';
export * from './jobs.ts';
export * from './json.ts';
export * from './limits.ts';
export * from './log.ts';
export * from './manifest.ts';
export { MAX_MESH_RECORD_BYTES } from './mesh-requests.ts';
export * from './message-head.ts';
export * from './messages.ts';
export * from './methods.ts';
export * from './model-path.ts';
export * from './model-requests.ts';
export { MESSAGE_LIMITS, type PackLimits } from './msgpack-scan.ts';
export * from './name-schemas.ts';
export * from './progress-events.ts';
export * from './public-hub.ts';
export { roughSize } from './rough-size.ts';
export * from './schema-problem.ts';
export {
  createVisitorSeal,
  createWorkerSeal,
  type OpenedFromWorker,
  refuseEnvelope,
  type VisitorSeal,
  type WorkerSeal,
} from './sealed/seals.ts';
export * from './session-token.ts';
export { mapInSteps, runAtOnce, runInSlices, type Steps } from './steps.ts';
export { messageTurns, openTurns, type Turns } from './turns.ts';
