export * from './atomic-file.ts';
export { createFileHandles, type FileHandles, openToRead } from './file-handles.ts';
export { modeOf } from './file-mode.ts';
export { fileVersion } from './file-version.ts';
export { type RoomNeeded, requireRoom } from './free-space.ts';
export type { LockOwner } from './lock-owner.ts';
export { acquireLock, type Lock, type LockOptions, removeLeftTakerFiles, withLock } from './locks.ts';
export { mapLimit } from './map-limit.ts';
export { atStorage, errorCode, isMissing, storageError } from './storage-error.ts';
