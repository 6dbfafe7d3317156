import type { FileTensor } from '../types.ts';
import { type CheckResult, someOf } from './types.ts';
import type { ShardIndex } from './weights.ts';

/**
 * Compares the index of a model in several files with what these hold.
 * @param shards - the tensors of each file, by its name
 */
export function checkIndex(
  { file, map, totalBytes }: ShardIndex,
  shards: ReadonlyMap<string, readonly FileTensor[]>,
): CheckResult {
  if (map === undefined) return { check: 'index', outcome: 'failed', detail: `${file.path} has no weight_map.` };
  const places = new Map<string, string>();
  let bytes = 0;
  for (const [shard, tensors] of shards) {
    for (const tensor of tensors) {
      places.set(tensor.name, shard);
      bytes += tensor.bytes;
    }
  }
  const problems: string[] = [];
  for (const [name, shard] of map) {
    const place = places.get(name);
    if (place === undefined) problems.push(`${name} is not in ${shard}`);
    else if (place !== shard) problems.push(`${name} is in ${place}, not in ${shard}`);
  }
  const unlisted = [...places.keys()].filter((name) => !map.has(name));
  if (problems.length > 0) return { check: 'index', outcome: 'failed', detail: `${someOf(problems)}.` };
  const warnings = unlisted.map((name) => `${name} is in ${places.get(name)} and not in the index`);
  // Tied weights count once or twice, by the version of the writer.
  if (totalBytes !== undefined && totalBytes > bytes && unlisted.length === 0) {
    warnings.push(`total_size says ${totalBytes} bytes, and the tensors have ${bytes}`);
  }
  if (warnings.length > 0) return { check: 'index', outcome: 'warning', detail: `${someOf(warnings)}.` };
  const detail = `${map.size} tensors are in ${shards.size} files, where ${file.path} says.`;
  return { check: 'index', outcome: 'passed', detail };
}
