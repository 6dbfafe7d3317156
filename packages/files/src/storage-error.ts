import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { ModelRtcError } from '@model-rtc/protocol';

/**
 * The code of a system error (`ENOENT`). It reads the field, since errors of another realm are not `instanceof Error`.
 */
export function errorCode(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** Whether the error, or its cause, says that there is nothing at a path. */
export function isMissing(thrown: unknown): boolean {
  const code = errorCode(thrown);
  if (code === 'ENOENT' || code === 'ENOTDIR') return true;
  return thrown instanceof ModelRtcError && isMissing(thrown.cause);
}

/**
 * The result of a file operation, or undefined when there is nothing at its path. Throws other failures as they are.
 */
export async function ignoreMissing<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (thrown) {
    if (isMissing(thrown)) return undefined;
    throw thrown;
  }
}

/** What a system error means, and what to do about it. */
interface SystemMeaning {
  readonly reason: string;
  readonly advice: string;
  /** What to do when something is written there, if that is something else. */
  readonly whenWriting?: string | undefined;
}

const FREE_SPACE = 'Free some space and run the command again.';
const ELSEWHERE = "For model-rtc's own data folder, MODEL_RTC_HOME can name another place.";
const PERMISSION: SystemMeaning = {
  reason: 'your user may not do that',
  advice: 'Give your user permission to read it.',
  whenWriting: `Give your user permission to write there. ${ELSEWHERE}`,
};
const NO_INODES: SystemMeaning = {
  reason: 'the file system has no room for another file (no free inodes)',
  advice: 'Delete some files there, however small, and run the command again.',
};
const NO_FOLDER: SystemMeaning = {
  reason: 'its folder does not exist',
  advice: 'Make the folder or choose another path, and run the command again.',
};
const UNKNOWN: SystemMeaning = {
  reason: '',
  advice: 'Check the disk and the permissions, and run the command again.',
};

const MEANINGS: Readonly<Record<string, SystemMeaning>> = {
  ENOSPC: { reason: 'the disk is full', advice: FREE_SPACE },
  EDQUOT: { reason: 'your disk quota is used up', advice: FREE_SPACE },
  EFBIG: {
    reason: 'the file would be larger than is allowed here',
    advice: 'Raise the limit (ulimit -f), or use a file system that takes larger files, and run the command again.',
  },
  EACCES: PERMISSION,
  EPERM: PERMISSION,
  EROFS: { reason: 'the disk is read-only', advice: `Write to another disk. ${ELSEWHERE}` },
  EMFILE: {
    reason: 'this process has too many files open',
    advice: 'Raise the limit (ulimit -n 4096) and run the command again.',
  },
  ENFILE: {
    reason: 'this machine has too many files open',
    advice: 'End some programs, or raise its limit (fs.file-max), and run the command again.',
  },
  EIO: {
    reason: 'the disk or network share fails',
    advice: 'Check it (dmesg tells more on Linux), and run the command again.',
  },
  ESTALE: {
    reason: 'the network share lost the file',
    advice: 'Mount the share again and run the command again.',
  },
  ENOENT: { reason: 'it is gone', advice: 'Something removed it meanwhile. Run the command again.' },
  ENOTDIR: {
    reason: 'a part of the path is a file, not a folder',
    advice: 'Check the path and run the command again.',
  },
  EISDIR: { reason: 'it is a folder, not a file', advice: 'Check the path and run the command again.' },
  ELOOP: {
    reason: 'it is a symbolic link where none is allowed, or its links lead in a circle',
    advice: 'Check the path and run the command again.',
  },
  ENAMETOOLONG: {
    reason: 'the path is too long',
    advice: 'Choose a folder nearer to the root and run the command again.',
    whenWriting: `Choose a folder nearer to the root. ${ELSEWHERE}`,
  },
};

const READING: ReadonlySet<string> = new Set(['read', 'measured']);

/**
 * Turns the failure of a file operation into an error that names the path and says what to do.
 * @param action what could not be done, as it follows "cannot be": `written`, `read`
 */
export function storageError(thrown: unknown, path: string, action: string): ModelRtcError {
  const error = ModelRtcError.from(thrown);
  if (error === thrown || error.code === 'cancelled') return error;
  const code = errorCode(thrown);
  const { reason, advice, whenWriting } = READING.has(action) ? meaningOf(code, path) : writing(code, path);
  const to = READING.has(action) ? advice : (whenWriting ?? advice);
  const why = reason === '' ? ` (${code ?? error.message})` : `: ${reason} (${code})`;
  return new ModelRtcError(
    error.code === 'storage_full' ? 'storage_full' : 'storage',
    `${path} cannot be ${action}${why}. ${to}`,
    { cause: thrown, details: { path } },
  );
}

/** Writing a new file fails with ENOENT where its folder is missing: a person may have mistyped it. */
function writing(code: string | undefined, path: string): SystemMeaning {
  return code === 'ENOENT' && !existsSync(dirname(path)) ? NO_FOLDER : meaningOf(code, path);
}

function meaningOf(code: string | undefined, path: string): SystemMeaning {
  if (code === 'ENOSPC' && hasNoInodes(path)) return NO_INODES;
  return MEANINGS[code ?? ''] ?? UNKNOWN;
}

/** ENOSPC says both that there is no room for bytes, and that there is none for another file. */
function hasNoInodes(path: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { files, ffree, bavail } = statfsSync(folder);
      return files > 0 && ffree === 0 && bavail > 0;
    } catch {
      if (folder === dirname(folder)) return false;
    }
  }
}

/**
 * Gives the error of a file operation that nobody explained, such as one of Node's own, a sentence that says what to do. Other
 * errors stay as they are.
 */
export function explainSystemError(error: ModelRtcError): ModelRtcError {
  const { cause } = error;
  const code = errorCode(cause);
  if (code === undefined || MEANINGS[code] === undefined) return error;
  const { path, message } = cause as { readonly path?: unknown; readonly message?: unknown };
  // An error that was made on purpose has a text of its own.
  if (message !== error.message) return error;
  if (typeof path === 'string') return storageError(cause, path, 'used');
  const { reason, advice } = MEANINGS[code];
  const sentence = `${reason.charAt(0).toUpperCase()}${reason.slice(1)} (${message}). ${advice}`;
  return new ModelRtcError(error.code, sentence, { cause });
}

/** Runs file operations and turns their failure into a storage error. */
export async function atStorage<T>(path: string, action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw storageError(thrown, path, action);
  }
}

/** The same for work that waits for nothing. */
export function atStorageSync<T>(path: string, action: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw storageError(thrown, path, action);
  }
}
