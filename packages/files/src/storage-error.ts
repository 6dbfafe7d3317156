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

/**
 * Turns the failure of a file operation into an error that names the path and says what to do.
 * @param action what could not be done, as it follows "cannot be": `written`, `read`
 */
export function storageError(thrown: unknown, path: string, action: string): ModelRtcError {
  const error = ModelRtcError.from(thrown);
  if (error === thrown || error.code === 'cancelled') return error;
  const code = errorCode(thrown);
  const reason = code === undefined ? error.message : code;
  if (error.code === 'storage_full') {
    const sentence = `The disk is full: ${path} cannot be ${action} (${reason}). Free some space and run the command again.`;
    return new ModelRtcError('storage_full', sentence, { cause: thrown, details: { path } });
  }
  const advice = ADVICE[code ?? ''] ?? 'Check the disk and the permissions of the folder, and run the command again.';
  return new ModelRtcError('storage', `${path} cannot be ${action} (${reason}). ${advice}`, {
    cause: thrown,
    details: { path },
  });
}

const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'Give your user permission to it, or choose another data folder with MODEL_RTC_HOME.',
  EPERM: 'Give your user permission to it, or choose another data folder with MODEL_RTC_HOME.',
  EROFS: 'The disk is read-only: choose another data folder with MODEL_RTC_HOME.',
  EMFILE: 'Too many files are open: raise the limit (ulimit -n) and run the command again.',
  ENOENT: 'Something removed it meanwhile. Run the command again.',
  ENAMETOOLONG: 'The path is too long: choose a data folder nearer to the root with MODEL_RTC_HOME.',
};

/** Runs file operations and turns their failure into a storage error. */
export async function atStorage<T>(path: string, action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw storageError(thrown, path, action);
  }
}
