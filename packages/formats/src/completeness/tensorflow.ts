import { baseName } from '../file-names.ts';
import { folderOf, missing } from './folders.ts';
import type { CheckedFiles, Flaw, SetCheck } from './types.ts';

const INDEX = /^(.+)\.index$/;
const DATA = /^(.+)\.data-(\d{5})-of-(\d{5})$/;

/** A SavedModel keeps its weights in variables/, a checkpoint in files beside its index. Source: tensorflow.org (SavedModel, checkpoint). */
export const tensorflow: SetCheck = {
  name: 'tensorflow',
  async check(model) {
    const paths = model.files.map(({ path }) => path);
    const folders = paths.filter((path) => baseName(path) === 'saved_model.pb').map(folderOf);
    return [...folders.flatMap((folder) => checkSavedModel(folder, model)), ...checkpointFlaws(paths)];
  },
};

function checkSavedModel(folder: string, model: CheckedFiles): Flaw[] {
  if (model.file(`${folder}variables/variables.index`) !== undefined) return [];
  const why = `${folder}saved_model.pb holds the graph without its weights`;
  return [missing(`${folder}variables/variables.index`, why)];
}

/** When some of the numbered data files are there, their numbers tell which are missing, see `numberedParts`. */
function checkpointFlaws(paths: readonly string[]): Flaw[] {
  const withData = new Set(paths.map((path) => dataOf(path)).filter((stem) => stem !== undefined));
  const indexed = paths.map((path) => INDEX.exec(path)?.[1]).filter((stem) => stem !== undefined);
  const noData = indexed
    .filter((stem) => !withData.has(stem))
    .map((stem) => missing(`${stem}.data-00000-of-00001`, `${stem}.index holds no weights`));
  const withIndex = new Set(indexed);
  const noIndex = [...withData]
    .filter((stem) => !withIndex.has(stem))
    .map((stem) => missing(`${stem}.index`, `without it nothing finds the weights in ${stem}.data-*`));
  return [...noData, ...noIndex];
}

function dataOf(path: string): string | undefined {
  return DATA.exec(path)?.[1];
}
