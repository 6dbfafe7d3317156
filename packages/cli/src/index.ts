export {
  type ConnectAllOptions,
  type ConnectOptions,
  connect,
  connectAll,
  type ModelProgress,
  type PullModelOptions,
  type PullModelResult,
  type PullPlan,
  type PushModelOptions,
  type PushModelResult,
  type WorkerConnection,
  type WorkerGroup,
} from '@model-rtc/client';
export { type ErrorCode, type ModelEntry, ModelRtcError } from '@model-rtc/protocol';
export { dataFolder, openRegistry, type Registry, type RegistryEntry } from '@model-rtc/registry';
export { startSignalingServer } from '@model-rtc/signaling';
export { type RunningWorker, startWorker, type WorkerOptions } from '@model-rtc/worker';
