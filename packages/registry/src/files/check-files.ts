import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode, isInside, isMissing, mapLimit } from '@model-rtc/files';
import type { FileStat } from '../store/types.ts';
import type { CheckResult, FileProblem, ModelPlace } from './types.ts';

const FILES_AT_ONCE = 32;
/** As many as fit the messages between agents. */
export const LISTED_PROBLEMS = 100;

/** Compares each file's size and time with what they were when it was hashed. */
export async function checkFiles(place: ModelPlace, files: readonly FileStat[]): Promise<CheckResult> {
  const inside = insideTest(place);
  const problems: FileProblem[] = [];
  await mapLimit(files, FILES_AT_ONCE, async (file) => {
    if (problems.length >= LISTED_PROBLEMS) return;
    const problem = await findProblem(place, file, inside);
    if (problem !== undefined && problems.length < LISTED_PROBLEMS) problems.push({ path: file.path, problem });
  });
  return { valid: problems.length === 0, problems };
}

async function findProblem(
  place: ModelPlace,
  file: FileStat,
  inside: (path: string) => Promise<boolean>,
): Promise<string | undefined> {
  const path = join(place.path, file.path);
  try {
    const found = place.linked ? await stat(path, { bigint: true }) : await lstat(path, { bigint: true });
    if (!found.isFile()) return 'it is no longer a plain file';
    if (!(await inside(path))) return "it lies outside the model's folder";
    return changeOf(file, found);
  } catch (thrown) {
    return await describeUnreadable(path, thrown);
  }
}

/** How a file differs from when it was hashed, as the end of a sentence; undefined when it does not. */
export function changeOf(
  file: FileStat,
  found: { readonly size: bigint; readonly mtimeNs: bigint },
): string | undefined {
  if (found.size !== BigInt(file.size)) return `it has ${found.size} bytes, and had ${file.size} when it was hashed`;
  return found.mtimeNs === file.mtimeNs ? undefined : 'it was changed since it was hashed';
}

/** Why a file cannot be read, as the end of a sentence. */
export async function describeUnreadable(path: string, thrown: unknown): Promise<string> {
  if (!isMissing(thrown)) return `it cannot be read (${errorCode(thrown) ?? String(thrown)})`;
  const link = await lstat(path).catch(() => undefined);
  return link?.isSymbolicLink() ? 'the file that it links to is gone' : 'it is missing';
}

/** Whether one of our own files really lies in its model's folder; looked up once for each folder in it. */
export function insideTest({ path: root, linked }: ModelPlace): (path: string) => Promise<boolean> {
  if (linked) return async () => true;
  const answers = new Map<string, Promise<boolean>>();
  let realRoot: Promise<string> | undefined;
  const lookUp = async (folder: string): Promise<boolean> => {
    realRoot ??= realpath(root);
    const [real, base] = await Promise.all([realpath(folder), realRoot]);
    return isInside(real, base);
  };
  return (path) => {
    const folder = dirname(path);
    const answer = answers.get(folder) ?? lookUp(folder);
    answers.set(folder, answer);
    return answer;
  };
}
