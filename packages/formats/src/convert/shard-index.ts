import { besideFile } from '../completeness/folders.ts';
import { isObject } from '../documents/scalars.ts';

/** A file of torch that has become a safetensors file. */
export interface ConvertedShard {
  readonly from: string;
  readonly to: string;
  /** Names that it no longer has. */
  readonly dropped: readonly string[];
}

/** How the safetensors library's converter indents it. */
const INDENT = 4;

/**
 * The index of a model in several files, once these are converted: it names the new files, and no tensor that was dropped.
 * @param path the index's own, inside the model
 * @returns undefined for what is no index, or one that names none of the converted files
 */
export function convertedIndex(path: string, index: unknown, shards: readonly ConvertedShard[]): string | undefined {
  const map = isObject(index) ? index.weight_map : undefined;
  if (!isObject(index) || !isObject(map)) return undefined;
  const byPath = new Map(shards.map(({ from, to, dropped }) => [from, { to, dropped: new Set(dropped) }]));
  let isOne = false;
  const entries: [string, unknown][] = [];
  for (const [name, file] of Object.entries(map)) {
    const shard = typeof file === 'string' ? byPath.get(besideFile(path, file) ?? '') : undefined;
    isOne ||= shard !== undefined;
    if (shard?.dropped.has(name) === true) continue;
    entries.push([name, shard === undefined ? file : `${folderPart(file as string)}${shard.to.split('/').at(-1)}`]);
  }
  return isOne ? JSON.stringify({ ...index, weight_map: Object.fromEntries(entries) }, undefined, INDENT) : undefined;
}

function folderPart(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}
