export * from './atomic-file.ts';
export * from './data-folder.ts';
export type { LockOwner } from './lock-owner.ts';
export { acquireLock, type Lock, type LockOptions, withLock } from './locks.ts';
export { type OpenRegistryOptions, openRegistry } from './open-registry.ts';
export type { ImportSteps } from './registry-context.ts';
export { toModelEntry } from './registry-entry.ts';
export type * from './registry-types.ts';
export { atStorage, errorCode, isMissing, storageError } from './storage-error.ts';
