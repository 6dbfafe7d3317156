import { refuseCode, unknownFormats } from '@model-rtc/formats';
import { type CodeFile, ModelRtcError } from '@model-rtc/protocol';
import type { ScannedFile } from '../import/scanned-model.ts';
import type { ModelReading } from './types.ts';

/** As many as an entry may have, see `codeFileSchema`. The suspicious ones are kept first. */
const MAX_CODE_FILES = 256;

/** What an entry's framework says of a model that was taken without knowing its format. */
export const AS_IS = 'as-is';

export interface InspectOptions {
  /** Refuse a model with files that run code, or that may because they could not be examined. */
  readonly safeOnly?: boolean | undefined;
  /** The model was taken as it is: of a format that is not known, nobody can tell what loading it runs. */
  readonly isUnknown?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What an entry says of the files that run code, found by what they hold.
 * @throws ModelRtcError `refused` when there are some and only a safe model will do, `source_changed` when a file is not as it was
 *   scanned, `storage` when one cannot be read, `cancelled` when the signal aborts.
 */
export async function inspectFiles(
  reading: ModelReading,
  files: readonly ScannedFile[],
  { safeOnly = false, isUnknown = false, signal }: InspectOptions,
): Promise<CodeFile[]> {
  const found: CodeFile[] = [];
  const at = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  try {
    await reading.run('scanFiles', { files, at }, { signal, onReport: (file) => found.push(file) });
  } catch (thrown) {
    const error = ModelRtcError.from(thrown);
    if (error.details?.reason !== 'memory') throw error;
    found.push(...unexaminedFrom(files, Atomics.load(new Int32Array(at), 0)));
  }
  if (isUnknown) found.push(...unknownFormats(files, found));
  if (safeOnly) refuseCode(found);
  if (found.length <= MAX_CODE_FILES) return found;
  return found.sort((a, b) => b.suspicious.length - a.suspicious.length).slice(0, MAX_CODE_FILES);
}

/** The file that took too much memory and those behind it: the budget of the model is spent. */
function unexaminedFrom(files: readonly ScannedFile[], index: number): CodeFile[] {
  return files.slice(index).map(({ path }, i) => {
    const why = i === 0 ? 'it takes more memory than is allowed' : 'a file before it took more memory than is allowed';
    return { path, suspicious: [`(${why})`], unexamined: true };
  });
}
