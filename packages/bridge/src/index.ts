export { type BridgeOptions, type RunningBridge, startBridge } from './create.ts';
export { type MeshModelsOptions, meshModels } from './mesh/mesh-models.ts';
export { loadToken } from './token-file.ts';
export type { OwnNode, RemoteModel, RemoteModels, RemoteNode } from './types.ts';
