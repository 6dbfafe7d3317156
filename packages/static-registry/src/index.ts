export { type RegistryProblem, registryError } from './format/errors.ts';
export { type FoundVersion, type ListedVersion, ModelList } from './format/model-list.ts';
export { dataPath, LIST_PATH } from './format/paths.ts';
export { chunkSize, parseStaticManifest, type StaticManifest } from './format/static-manifest.ts';
export { isReadableName, type ModelVersion, readings, versionText } from './format/versions.ts';
export { DEFAULT_CONCURRENCY, MAX_CONCURRENCY, MAX_LIST_BYTES, MAX_STATIC_MANIFEST_BYTES } from './limits.ts';
export { openStaticRegistry } from './open.ts';
export { staticSource } from './provider/chunk-source.ts';
export { StaticProvider } from './provider/static-provider.ts';
export type { PublishedFile } from './publish/cut-files.ts';
export { createFolderTarget } from './publish/folder-target.ts';
export { type OpenedTarget, openPublishTarget } from './publish/open-target.ts';
export { type PruneResult, pruneRegistry } from './publish/prune.ts';
export {
  type PublishOptions,
  type PublishProgress,
  type PublishResult,
  publishModel,
} from './publish/publish-model.ts';
export type { Signing } from './publish/registry-state.ts';
export { type ServedRegistry, serveRegistry } from './publish/serve-registry.ts';
export type { PublishTarget, StoredFile } from './publish/target.ts';
export type { S3Options } from './s3/types.ts';
export { givenPublicKeys, readPublicKeys, readSigner } from './sign/key-files.ts';
export { parsePublicKey, publicKeyOf } from './sign/signatures.ts';
export { openTrustedRegistries, type TrustedRegistries } from './sign/trusted-registries.ts';
export { StaticRegistry } from './static-registry.ts';
export { createFolderStore } from './store/folder-store.ts';
