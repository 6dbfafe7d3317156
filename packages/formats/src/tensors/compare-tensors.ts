import { CHUNK_BYTES, type Digest, type Manifest } from '@model-rtc/protocol';
import { sameBytes } from '../bytes/byte-readers.ts';
import { listTensors } from '../formats.ts';
import type { FileTensor, NamedReader, ReadOptions } from '../types.ts';

/** A file of a model to compare. */
export interface ComparableFile extends NamedReader {
  /** Where it begins when the files of the model are laid end to end. */
  readonly start: number;
}

/** A model to compare. */
export interface ComparableModel {
  readonly manifest: Pick<Manifest, 'chunks'>;
  readonly files: readonly ComparableFile[];
  /** Bytes of the files laid end to end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface TensorSummary {
  /** The file that holds it, inside the model. */
  readonly file: string;
  readonly name: string;
  /** As its file format calls it, such as `BF16`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface TensorDifference {
  readonly same: { readonly count: number; readonly bytes: number };
  readonly changed: readonly TensorSummary[];
  readonly onlyInFirst: readonly TensorSummary[];
  readonly onlyInSecond: readonly TensorSummary[];
}

/** A tensor of a model, by its place in the model's files laid end to end. */
interface ModelTensor extends FileTensor {
  readonly file: string;
}

/** Where chunks begin: shows whether a run of bytes is a run of whole chunks. */
interface ChunkMap {
  readonly chunks: Manifest['chunks'];
  readonly indexAt: ReadonlyMap<number, number>;
}

interface Side {
  readonly model: ComparableModel;
  readonly tensors: readonly ModelTensor[];
  readonly chunkMap: ChunkMap;
}

/**
 * Compares the tensors of two models byte by byte. Where a tensor is a run of whole chunks in both, comparing the chunks'
 * digests is enough; otherwise the bytes are read.
 * @returns undefined when one of the models has no tensor that can be listed
 */
export async function compareTensors(
  first: ComparableModel,
  second: ComparableModel,
  options: ReadOptions,
): Promise<TensorDifference | undefined> {
  const [a, b] = [await sideOf(first, options), await sideOf(second, options)];
  if (a.tensors.length === 0 || b.tensors.length === 0) return undefined;
  const { pairs, onlyInFirst, onlyInSecond } = pairUp(a.tensors, b.tensors);
  const changed: ModelTensor[] = [];
  const same = { count: 0, bytes: 0 };
  for (const [mine, theirs] of pairs) {
    options.signal?.throwIfAborted();
    if (await isSame(a, mine, b, theirs)) {
      same.count++;
      same.bytes += mine.bytes;
    } else changed.push(theirs);
  }
  return {
    same,
    changed: changed.map(toSummary),
    onlyInFirst: onlyInFirst.map(toSummary),
    onlyInSecond: onlyInSecond.map(toSummary),
  };
}

async function sideOf(model: ComparableModel, options: ReadOptions): Promise<Side> {
  const tensors: ModelTensor[] = [];
  for (const file of model.files) {
    // Of two tensors with one name in a file the first counts, as it does for loaders.
    const names = new Set<string>();
    for (const tensor of await listTensors(file, options)) {
      if (names.has(tensor.name)) continue;
      names.add(tensor.name);
      tensors.push({ ...tensor, start: file.start + tensor.start, file: file.path });
    }
  }
  return { model, tensors, chunkMap: chunkMapOf(model.manifest) };
}

function chunkMapOf({ chunks }: ComparableModel['manifest']): ChunkMap {
  const indexAt = new Map<number, number>();
  let offset = 0;
  for (const [i, { size }] of chunks.entries()) {
    indexAt.set(offset, i);
    offset += size;
  }
  return { chunks, indexAt: indexAt.set(offset, chunks.length) };
}

/** Pairs tensors with the same name: from the same file first, then from any file, since shards may be cut anew. */
function pairUp(first: readonly ModelTensor[], second: readonly ModelTensor[]) {
  const byName = new Map<string, ModelTensor[]>();
  for (const tensor of second) {
    const known = byName.get(tensor.name);
    if (known === undefined) byName.set(tensor.name, [tensor]);
    else known.push(tensor);
  }
  const pairs: [ModelTensor, ModelTensor][] = [];
  const waiting: ModelTensor[] = [];
  const take = (mine: ModelTensor, isMatch: (theirs: ModelTensor) => boolean): boolean => {
    const candidates = byName.get(mine.name) ?? [];
    const found = candidates.findIndex(isMatch);
    if (found === -1) return false;
    pairs.push([mine, ...(candidates.splice(found, 1) as [ModelTensor])]);
    return true;
  };
  for (const mine of first) if (!take(mine, ({ file }) => file === mine.file)) waiting.push(mine);
  const filesOfFirst = new Set(first.map(({ file }) => file));
  // A file that both models have is never compared with a different one: best.ckpt and last.ckpt use the same names.
  const onlyInFirst = waiting.filter((mine) => !take(mine, ({ file }) => !filesOfFirst.has(file)));
  return { pairs, onlyInFirst, onlyInSecond: [...byName.values()].flat() };
}

async function isSame(a: Side, mine: ModelTensor, b: Side, theirs: ModelTensor): Promise<boolean> {
  if (mine.dtype !== theirs.dtype || mine.bytes !== theirs.bytes || mine.layout !== theirs.layout) return false;
  if (mine.shape.join() !== theirs.shape.join()) return false;
  return sameChunks(a.chunkMap, mine, b.chunkMap, theirs) ?? (await sameContent(a.model, mine, b.model, theirs));
}

/** Undefined when the chunks cannot answer: a tensor is not a run of whole chunks, or the two are cut in different places. */
function sameChunks(a: ChunkMap, mine: ModelTensor, b: ChunkMap, theirs: ModelTensor): boolean | undefined {
  const [ofMine, ofTheirs] = [runOf(a, mine), runOf(b, theirs)];
  if (ofMine === undefined || ofTheirs === undefined || ofMine.length !== ofTheirs.length) return undefined;
  if (ofMine.some(({ size }, i) => size !== ofTheirs[i]?.size)) return undefined;
  return ofMine.every(({ digest }, i) => digest === ofTheirs[i]?.digest);
}

function runOf(
  { chunks, indexAt }: ChunkMap,
  { start, bytes }: ModelTensor,
): readonly { readonly digest: Digest; readonly size: number }[] | undefined {
  const from = indexAt.get(start);
  const to = indexAt.get(start + bytes);
  return from === undefined || to === undefined ? undefined : chunks.slice(from, to);
}

async function sameContent(
  first: ComparableModel,
  mine: ModelTensor,
  second: ComparableModel,
  theirs: ModelTensor,
): Promise<boolean> {
  for (let done = 0; done < mine.bytes; done += CHUNK_BYTES) {
    const length = Math.min(CHUNK_BYTES, mine.bytes - done);
    const [ours, other] = await Promise.all([
      first.read(mine.start + done, length),
      second.read(theirs.start + done, length),
    ]);
    if (!sameBytes(ours, other)) return false;
  }
  return true;
}

function toSummary({ file, name, dtype, shape, bytes }: ModelTensor): TensorSummary {
  return { file, name, dtype, shape, bytes };
}
