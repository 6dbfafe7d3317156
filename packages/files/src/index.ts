export {
  fileVersion,
  isLeftTemporary,
  removeTemporaries,
  syncFolder,
  writeFileAtomic,
  writeFileSynced,
} from './atomic-file.ts';
export { breakHardLinks, cloneFile, modelFileMode, NO_HARD_LINKS, setFileTime } from './copy.ts';
export { createFileHandles, openToRead } from './file-handles.ts';
export { freeBytes, ownBytes, requireRoom } from './free-space.ts';
export { describeSelf, type LockOwner, lockOwnerSchema, ownerState } from './lock-owner.ts';
export {
  acquireLock,
  FREES_ITSELF,
  holderText,
  isLocked,
  type Lock,
  type LockOptions,
  lockHolder,
  removeLeftTakerFiles,
  tryLock,
  withLock,
} from './locks.ts';
export { makeFolder } from './make-folder.ts';
export { mapLimit } from './map-limit.ts';
export { exists, isFolder, isInside, listFolder, listTree, type TreeItem } from './paths.ts';
export { requireNames } from './platform-names.ts';
export { readJson } from './read-json.ts';
export {
  atStorage,
  atStorageSync,
  errorCode,
  explainSystemError,
  ignoreMissing,
  isMissing,
  storageError,
} from './storage-error.ts';
