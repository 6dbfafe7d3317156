export { modelsDataFolder, modelsDirVariable } from './data-folder.ts';
export { isModelError, type ModelErrorKind, ModelManagerError } from './errors.ts';
export { ModelManager } from './model-manager.ts';
export type { ModelName, NameRef, VersionRef } from './reference.ts';
export type * from './types.ts';
