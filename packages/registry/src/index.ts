export * from './atomic-file.ts';
export * from './data-folder.ts';
export type { LockOwner } from './lock-owner.ts';
export { acquireLock, type Lock, type LockOptions, withLock } from './locks.ts';
export type * from './registry-types.ts';
export { atStorage, errorCode, isMissing, storageError } from './storage-error.ts';
