import { StructureError } from '../bytes/structure-error.ts';
import { baseName } from '../file-names.ts';
import { folderOf, missing } from './folders.ts';
import { bytesText } from './sizes.ts';
import { type CheckpointIndex, isCheckpointIndex, readCheckpointIndex } from './tensorflow-index.ts';
import type { CheckedFile, CheckedFiles, Flaw, SetCheck } from './types.ts';

const INDEX = /^(.+)\.index$/;
const DATA = /^(.+)\.data-(\d{5})-of-(\d{5})$/;

/** A SavedModel keeps its weights in variables/, a checkpoint in files beside its index. Source: tensorflow.org (SavedModel, checkpoint). */
export const tensorflow: SetCheck = async (model) => {
  const paths = model.files.map(({ path }) => path);
  const folders = paths.filter((path) => baseName(path) === 'saved_model.pb').map(folderOf);
  return [...folders.flatMap((folder) => checkSavedModel(folder, model)), ...(await checkpointFlaws(paths, model))];
};

function checkSavedModel(folder: string, model: CheckedFiles): Flaw[] {
  if (model.file(`${folder}variables/variables.index`) !== undefined) return [];
  const why = `${folder}saved_model.pb holds the graph without its weights`;
  return [missing(`${folder}variables/variables.index`, why)];
}

/** When some of the numbered data files are there, their numbers tell which are missing, see `numberedParts`. */
async function checkpointFlaws(paths: readonly string[], model: CheckedFiles): Promise<Flaw[]> {
  const dataOf = new Map<string, string[]>();
  for (const path of paths) {
    const stem = DATA.exec(path)?.[1];
    if (stem !== undefined) dataOf.set(stem, [...(dataOf.get(stem) ?? []), path]);
  }
  const flaws: Flaw[] = [];
  for (const path of paths) {
    const stem = INDEX.exec(path)?.[1];
    const file = model.file(path);
    if (stem === undefined || file === undefined) continue;
    const data = dataOf.get(stem) ?? [];
    // Other tools keep other things in files of that name.
    if (data.length > 0 || model.file(`${stem}.meta`) !== undefined || (await file.withReader(isCheckpointIndex))) {
      flaws.push(...(await checkIndex(stem, file, data, model)));
    }
  }
  const noIndex = [...dataOf.keys()].filter((stem) => model.file(`${stem}.index`) === undefined);
  const why = (stem: string) => `without it nothing finds the weights in ${stem}.data-*`;
  return [...flaws, ...noIndex.map((stem) => missing(`${stem}.index`, why(stem)))];
}

async function checkIndex(
  stem: string,
  file: CheckedFile,
  data: readonly string[],
  model: CheckedFiles,
): Promise<Flaw[]> {
  const index = await readIndex(file);
  if (index !== undefined && 'problem' in index) return [index];
  if (data.length === 0) {
    return [missing(`${stem}.data-00000-of-${numbered(index?.shards ?? 1)}`, `${file.path} holds no weights`)];
  }
  return [...(index?.ends ?? [])].flatMap(([number, end]): Flaw[] => {
    const path = data.find((name) => name.includes(`.data-${numbered(number)}-of-`));
    const size = path === undefined ? undefined : model.file(path)?.size;
    if (path === undefined || size === undefined || size >= end) return [];
    const problem = `is cut off: it has ${bytesText(size)} of the ${bytesText(end)} that ${file.path} names`;
    return [{ kind: 'cut_off', path, problem }];
  });
}

/** Undefined for an index that tells nothing of its data. */
async function readIndex(file: CheckedFile): Promise<CheckpointIndex | Flaw | undefined> {
  const { path } = file;
  try {
    if (await file.withReader(isCheckpointIndex)) return await file.withReader(readCheckpointIndex);
    const problem = `is cut off after ${bytesText(file.size)}, or no index: the end of its table is missing`;
    return { kind: 'cut_off', path, problem };
  } catch (error) {
    if (!(error instanceof StructureError)) throw error;
    return { kind: 'damaged', path, problem: `is damaged: ${error.message}` };
  }
}

/** As TensorFlow writes it into a name. */
function numbered(number: number): string {
  return String(number).padStart(5, '0');
}
