import type { ByteReader } from '@model-rtc/formats';
import { openSourceFile } from '../hash/source-file.ts';
import type { ScannedFile } from '../import/scanned-model.ts';

/** Files of this size are read whole; of each, a look would read most of it anyway. */
const SMALL_BYTES = 64 * 1024;
/** Small files that are read while one is looked at. One by one, opening takes most of the time for 10,000 of them. */
const FILES_AHEAD = 16;

export interface OpenedFile {
  readonly file: ScannedFile;
  readonly source: ByteReader;
}

/**
 * Opens files in their order, each until the next one is asked for.
 * @throws ModelRtcError `source_changed`, `storage`
 */
export async function* readAhead(files: readonly ScannedFile[]): AsyncGenerator<OpenedFile> {
  const ahead: Promise<ByteReader | undefined>[] = [];
  for (const [i, file] of files.entries()) {
    for (const next of files.slice(i + ahead.length, i + FILES_AHEAD)) {
      const reading = readSmall(next);
      // It is told of when its turn comes.
      reading.catch(() => undefined);
      ahead.push(reading);
    }
    const small = await ahead.shift();
    if (small !== undefined) {
      yield { file, source: small };
      continue;
    }
    await using source = await openSourceFile(file);
    yield { file, source };
  }
}

/** Undefined for a file that is read from the disk as it is looked at. */
async function readSmall(file: ScannedFile): Promise<ByteReader | undefined> {
  const { size } = file;
  if (size > SMALL_BYTES) return undefined;
  await using source = await openSourceFile(file);
  const bytes = await source.read(0, size);
  return { size, read: async (offset, length) => bytes.subarray(offset, offset + length) };
}
