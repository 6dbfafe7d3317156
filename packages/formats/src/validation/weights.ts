import { readJson } from '../completeness/read-json.ts';
import type { CheckedFile } from '../completeness/types.ts';
import { at, isObject } from '../documents/scalars.ts';
import { extensionOf } from '../file-names.ts';

/** Whose files are the weights that loaders take first. Source: transformers, `modeling_utils.py`; peft, `save_and_load.py`. */
const NAMES = [
  'model.safetensors',
  'adapter_model.safetensors',
  'pytorch_model.bin',
  'adapter_model.bin',
  'weights.safetensors',
  'adapters.safetensors',
];
const EXTENSIONS = ['.safetensors', '.bin', '.pt', '.pth'];

/** An index of a model in several files: which tensor is in which file. */
export interface ShardIndex {
  readonly file: CheckedFile;
  /** Undefined when it cannot be read. */
  readonly map: ReadonlyMap<string, string> | undefined;
  readonly totalBytes: number | undefined;
}

/** The files that make up one set of weights. */
export interface ChosenWeights {
  readonly files: readonly CheckedFile[];
  readonly index: ShardIndex | undefined;
}

/**
 * The weights that a loader would take, of those at the top of a model: repositories often have them in several formats.
 * Undefined where nothing tells which these are.
 */
export async function chooseWeights(files: readonly CheckedFile[]): Promise<ChosenWeights | undefined> {
  const top = files.filter(({ path }) => !path.includes('/'));
  for (const name of NAMES) {
    const whole = top.find(({ path }) => path === name);
    if (whole !== undefined) return { files: [whole], index: undefined };
    const index = top.find(({ path }) => path === `${name}.index.json`);
    if (index === undefined) continue;
    const read = await readIndex(index);
    const named = new Set(read.map?.values());
    const shards = top.filter(({ path }) => named.has(path));
    // Some repositories bring an index whose files were left out.
    if (shards.length > 0) return { files: shards, index: read };
  }
  const others = EXTENSIONS.map((extension) => top.filter(({ path }) => extensionOf(path) === extension));
  const [first] = others.filter((found) => found.length > 0);
  return first?.length === 1 ? { files: first, index: undefined } : undefined;
}

async function readIndex(file: CheckedFile): Promise<ShardIndex> {
  const json = await readJson(file);
  const map = at(json, 'weight_map');
  const total = at(json, 'metadata', 'total_size');
  return {
    file,
    map: isObject(map)
      ? new Map(Object.entries(map).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
      : undefined,
    totalBytes: typeof total === 'number' ? total : undefined,
  };
}
