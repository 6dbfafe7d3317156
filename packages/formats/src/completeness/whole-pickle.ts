import { readHead, startsWith } from '../bytes/byte-readers.ts';
import { EndsEarlyError, StructureError } from '../bytes/structure-error.ts';
import { joblibArrays } from '../pickle/joblib-arrays.ts';
import { itemsOf } from '../pickle/values.ts';
import { type PickleWalk, walkInput, walkPickle } from '../pickle/walk-pickle.ts';
import { itemBytesByKey } from '../torch/torch-file.ts';
import type { ByteReader, ReadOptions } from '../types.ts';
import { byExtension } from './by-extension.ts';
import { cutOff } from './sizes.ts';
import type { FileCheck, FoundFlaw } from './types.ts';

/** The first pickle of a file that torch.save wrote before torch 1.6: a number of ten bytes. */
const LEGACY_HEAD = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
/** The magic number, the version, the writing system, the value, the keys of the storages. */
const LEGACY_PICKLES = 5;
const NUMEL_BYTES = 8;
/** Values kept to find the arrays of joblib, which are described by some ten. */
const KEPT_OF_JOBLIB = 100_000;

/** Enough of it to know: the first bytes alone could begin any pickle. */
const MIN_HEAD_BYTES = 4;

/** What torch.save wrote before torch 1.6, which says how long each storage is. */
export const wholeLegacyTorch: FileCheck = {
  matches: byExtension('.pt', '.pth', '.ckpt', '.bin', '.pkl'),
  async check(reader, options) {
    const head = await readHead(reader, LEGACY_HEAD.length);
    const isLegacy = head.length >= MIN_HEAD_BYTES && startsWith(head, LEGACY_HEAD.slice(0, head.length));
    return isLegacy ? await checkLegacy(reader, options) : undefined;
  },
};

/** A plain pickle ends with a stop, and tells nothing else of its length. */
export const wholePickle: FileCheck = {
  matches: byExtension('.pkl', '.pickle', '.joblib'),
  async check(reader, options) {
    const [first = 0, protocol = 0] = await readHead(reader, 2);
    // Anything else may be compressed, or no pickle at all.
    return first === 0x80 && protocol >= 2 && protocol <= 5 ? await checkEnd(reader, options) : undefined;
  },
};

async function checkEnd(reader: ByteReader, { signal, budget }: ReadOptions): Promise<FoundFlaw | undefined> {
  const options = { signal, budget, maxKept: KEPT_OF_JOBLIB };
  const afterBuild = joblibArrays(async (input) => {
    const { outcome, isCut, problem } = await walkInput(input, options);
    if (outcome !== 'stop') throw isCut ? new EndsEarlyError(`${problem}`) : new StructureError(`${problem}`);
  });
  const walk = await walkPickle(reader, 0, { ...options, afterBuild });
  return walk.outcome === 'broken' && walk.isCut ? cutOff(reader.size, 'the end of its pickle is missing') : undefined;
}

async function checkLegacy(reader: ByteReader, { signal, budget }: ReadOptions): Promise<FoundFlaw | undefined> {
  const walks: PickleWalk[] = [];
  while (walks.length < LEGACY_PICKLES) {
    const walk = await walkPickle(reader, walks.at(-1)?.end ?? 0, { signal, budget });
    if (walk.outcome === 'too_large') return undefined;
    if (walk.isCut) return cutOff(reader.size, 'its list of tensors goes on');
    if (walk.outcome === 'broken') throw new StructureError(walk.problem ?? 'it is no pickle');
    walks.push(walk);
  }
  const [content, keys] = walks.slice(3) as [PickleWalk, PickleWalk];
  return await checkStorages(reader, keys, itemBytesByKey(content.value));
}

/** Each storage has the number of its items, then the items. */
async function checkStorages(
  reader: ByteReader,
  { end, value }: PickleWalk,
  itemBytes: ReadonlyMap<string, number>,
): Promise<FoundFlaw | undefined> {
  let at = end;
  const keys = itemsOf(value) ?? [];
  for (const [i, key] of keys.entries()) {
    const bytes = typeof key === 'string' ? itemBytes.get(key) : undefined;
    // The size of a storage that no tensor uses is unknown, and so is the start of the next one.
    if (bytes === undefined) return undefined;
    const missing = () => cutOff(reader.size, `it has ${i} of its ${keys.length} storages`);
    if (at + NUMEL_BYTES > reader.size) return missing();
    const head = await reader.read(at, NUMEL_BYTES);
    const items = Number(new DataView(head.buffer, head.byteOffset).getBigUint64(0, true));
    at += NUMEL_BYTES + items * bytes;
    if (!(at <= reader.size)) return missing();
  }
  return undefined;
}
