import { isObject } from '../documents/scalars.ts';
import { isWeightsFile } from '../layouts/weights-files.ts';
import { besideFile, folderOf, missing } from './folders.ts';
import { readJson } from './read-json.ts';
import type { CheckedFile, CheckedFiles, Flaw, NamingFile } from './types.ts';

const INDEX = /\.index(\.[^./]+)?\.json$/i;
/** Different files that an index names. */
const MAX_SHARDS = 10_000;

/** A hub's index of a model in several files: it names the file of each tensor. Source: transformers `modeling_utils.py`. */
export const shardIndex: NamingFile = { matches: (path) => INDEX.test(path), check: checkIndex };

async function checkIndex(file: CheckedFile, model: CheckedFiles): Promise<Flaw[]> {
  const index = await readJson(file);
  if (index === undefined) {
    return [{ kind: 'damaged', path: file.path, problem: 'is damaged: it is no JSON, or too large' }];
  }
  const map = isObject(index) ? index.weight_map : undefined;
  if (!isObject(map)) return [];
  const names = [...new Set(Object.values(map).filter((name) => typeof name === 'string'))].slice(0, MAX_SHARDS);
  const paths = names.map((name) => besideFile(file.path, name)).filter((path) => path !== undefined);
  const absent = paths.filter((path) => model.file(path) === undefined).sort();
  // A download may leave the weights of another format out and bring their index; what is there is loaded then.
  if (absent.length === paths.length && hasOtherWeights(file, model)) return [];
  return absent.map((path) => missing(path, `${file.path} names it`));
}

function hasOtherWeights({ path }: CheckedFile, { files }: CheckedFiles): boolean {
  return files.some((file) => isWeightsFile(file.path) && folderOf(file.path) === folderOf(path));
}
