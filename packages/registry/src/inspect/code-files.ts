import {
  createReadBudget,
  type Findings,
  MODEL_READ_LIMITS,
  type ReadOptions,
  refuseCode,
  scanFile,
} from '@model-rtc/formats';
import { type CodeFile, ModelRtcError } from '@model-rtc/protocol';
import { openSourceFile } from '../hash/source-file.ts';
import type { ScannedFile } from '../import/scanned-model.ts';
import { inflate } from './inflate.ts';

/** What an entry has room for, see `codeFileSchema`. Of more, the suspicious ones are kept. */
const MAX_CODE_FILES = 256;

export interface InspectOptions {
  /** Refuse a model with files that run code. */
  readonly safeOnly?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What an entry says of the files that run code.
 * @throws ModelRtcError `refused` when there are some and only a safe model will do; what `findCodeFiles` throws.
 */
export async function inspectFiles(files: readonly ScannedFile[], options: InspectOptions): Promise<CodeFile[]> {
  const codeFiles = await findCodeFiles(files, options.signal);
  if (options.safeOnly === true) refuseCode(codeFiles);
  return codeFiles;
}

/**
 * Those of a model's files that run code when they are loaded, found by what they hold.
 * @throws ModelRtcError `source_changed` when a file is not as it was scanned, `storage` when one cannot be read,
 *   `cancelled` when the signal aborts.
 */
export async function findCodeFiles(files: readonly ScannedFile[], signal?: AbortSignal): Promise<CodeFile[]> {
  const code: CodeFile[] = [];
  const budget = createReadBudget(MODEL_READ_LIMITS, () => performance.now());
  // One after the other: a hostile one can take some 150 MB while it is looked into.
  for (const file of files) {
    const { isCode, suspicious, unexamined } = await scanOne(file, { inflate, includesText, signal, budget });
    if (isCode) code.push({ path: file.path, suspicious: [...suspicious], ...(unexamined && { unexamined }) });
  }
  if (code.length <= MAX_CODE_FILES) return code;
  return code.sort((a, b) => b.suspicious.length - a.suspicious.length).slice(0, MAX_CODE_FILES);
}

/** At native speed: an HDF5 file is searched whole. */
function includesText({ buffer, byteOffset, byteLength }: Uint8Array, text: string): boolean {
  return Buffer.from(buffer, byteOffset, byteLength).includes(text, 0, 'latin1');
}

async function scanOne(file: ScannedFile, options: ReadOptions): Promise<Findings> {
  const source = await openSourceFile(file);
  try {
    return await scanFile({ ...source, path: file.path }, options);
  } catch (error) {
    if (options.signal?.aborted !== true) throw error;
    throw ModelRtcError.because(error, 'cancelled', 'Cancelled; nothing was stored.');
  } finally {
    await source.close();
  }
}
