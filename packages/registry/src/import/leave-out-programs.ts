import { mapLimit } from '@model-rtc/files';
import { programReason } from '@model-rtc/formats';
import type { FileChoice } from './file-choice.ts';
import { toModelFile } from './model-files-on-disk.ts';
import type { ScannedFile, SkippedPath } from './scanned-model.ts';

const EXECUTABLE_BITS = 0o111;
const LOOKS_AT_ONCE = 16;

/** Parts the programs, libraries and scripts from a model's files, except those that a person wants. */
export async function leaveOutPrograms(
  files: readonly ScannedFile[],
  choice: FileChoice,
): Promise<{ readonly files: readonly ScannedFile[]; readonly programs: readonly SkippedPath[] }> {
  const reasons = await mapLimit(files, LOOKS_AT_ONCE, async (file) =>
    choice.includes(file.path)
      ? undefined
      : await programReason(toModelFile(file), (file.mode & EXECUTABLE_BITS) !== 0),
  );
  const programs = files.flatMap(({ path, size }, i) => {
    const reason = reasons[i];
    return reason === undefined ? [] : [{ path, reason, bytes: size }];
  });
  return { files: files.filter((_, i) => reasons[i] === undefined), programs };
}
