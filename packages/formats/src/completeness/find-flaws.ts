import { StructureError } from '../bytes/structure-error.ts';
import { isWeightsFile } from '../layouts/weights-files.ts';
import type { ByteReader, ReadOptions } from '../types.ts';
import { coremlParts } from './coreml.ts';
import { deepspeed } from './deepspeed.ts';
import { ggufSplit } from './gguf-split.ts';
import { lfsPointer } from './lfs-pointer.ts';
import { numberedParts } from './numbered-parts.ts';
import { onnxData } from './onnx-data.ts';
import { openvino } from './openvino.ts';
import { nnunet, pipelines } from './pipelines.ts';
import { shardIndex } from './shard-index.ts';
import { tensorflow } from './tensorflow.ts';
import { torchDistributed } from './torch-distributed.ts';
import type { CheckedFile, CheckedFiles, FileCheck, Flaw, FoundFlaw, NamingFile, SetCheck } from './types.ts';
import { wholeLightgbm, wholeXgboost } from './whole-boosters.ts';
import { wholeGguf } from './whole-gguf.ts';
import { wholeHdf5 } from './whole-hdf5.ts';
import { wholeMlmodel } from './whole-mlmodel.ts';
import { wholeOnnx } from './whole-onnx.ts';
import { wholeLegacyTorch, wholePickle } from './whole-pickle.ts';
import { wholeSafetensors } from './whole-safetensors.ts';
import { certainZip, wholeZip } from './whole-zip.ts';

/** What one file tells of itself. */
const FILE_CHECKS: readonly FileCheck[] = [
  lfsPointer,
  wholeSafetensors,
  wholeGguf,
  wholeZip,
  certainZip,
  wholeLegacyTorch,
  wholePickle,
  wholeHdf5,
  wholeOnnx,
  wholeMlmodel,
  wholeXgboost,
  wholeLightgbm,
];
/** What files tell of one another: several together, or one that names others. The first flaw of a path counts. */
const SET_CHECKS: readonly (SetCheck | readonly NamingFile[])[] = [
  [shardIndex],
  numberedParts,
  [ggufSplit],
  [onnxData],
  [openvino],
  tensorflow,
  torchDistributed,
  [deepspeed],
  pipelines,
  nnunet,
  coremlParts,
];

/** Enough to tell what happened; a copy that was broken off may lack thousands of files. */
const MAX_FLAWS = 64;
const SMALL_BYTES = 64 * 1024;
const FILES_AT_ONCE = 32;
const HEAD_BYTES = 4096;

/**
 * What a model lacks: files that were never downloaded, cut off or left behind, by what its own files say. Reads headers
 * and indexes alone. None for a model that is whole as far as its files tell.
 * @throws what opening and reading a file throws
 */
export async function findFlaws(files: readonly CheckedFile[], options: ReadOptions): Promise<Flaw[]> {
  const flaws: Flaw[] = [];
  const add = (found: readonly Flaw[]) => {
    for (const flaw of found) {
      if (flaws.length < MAX_FLAWS && !flaws.some(({ path }) => path === flaw.path)) flaws.push(flaw);
    }
  };
  for (const group of groupsOf(files)) {
    const found = await Promise.all(group.map(async (file) => await checkFile(file, options)));
    add(found.flatMap((flaw, i) => (flaw === undefined ? [] : [{ ...flaw, path: (group[i] as CheckedFile).path }])));
  }
  const model = toCheckedFiles(files);
  for (const check of SET_CHECKS) {
    add(typeof check === 'function' ? await check(model, options) : await checkNaming(check, model, options));
  }
  return flaws;
}

async function checkNaming(kinds: readonly NamingFile[], model: CheckedFiles, options: ReadOptions): Promise<Flaw[]> {
  const flaws: Flaw[] = [];
  for (const file of model.files) {
    for (const { matches, check } of kinds) {
      if (matches(file.path)) flaws.push(...(await check(file, model, options)));
    }
  }
  return flaws;
}

/** Small files are opened together, since opening them is all that takes time; of large ones, one header is held at a time. */
function groupsOf(files: readonly CheckedFile[]): CheckedFile[][] {
  const groups: CheckedFile[][] = [];
  let open: CheckedFile[] = [];
  for (const file of files) {
    if (file.size > SMALL_BYTES || open.length === 0 || open.length >= FILES_AT_ONCE) {
      open = [];
      groups.push(open);
    }
    open.push(file);
    if (file.size > SMALL_BYTES) open = [];
  }
  return groups;
}

async function checkFile(file: CheckedFile, options: ReadOptions): Promise<FoundFlaw | undefined> {
  const checks = FILE_CHECKS.filter(({ matches }) => matches(file));
  if (file.size === 0) {
    return isWeightsFile(file.path) ? { kind: 'empty', problem: 'is empty: it has 0 bytes' } : undefined;
  }
  if (checks.length === 0) return undefined;
  return await file.withReader(async (source) => {
    const reader = rememberHead(source);
    for (const { check } of checks) {
      options.signal?.throwIfAborted();
      const found = await check(reader, options).catch(brokenFlaw);
      if (found !== undefined) return found;
    }
    return undefined;
  });
}

/** Several checks look at the first bytes of a file, and each reading of a small one takes as long as opening it. */
function rememberHead(reader: ByteReader): ByteReader {
  const { size } = reader;
  let head: Promise<Uint8Array> | undefined;
  return {
    size,
    async read(offset, length) {
      if (offset + length > Math.min(size, HEAD_BYTES)) return await reader.read(offset, length);
      head ??= reader.read(0, Math.min(size, HEAD_BYTES));
      return (await head).slice(offset, offset + length);
    },
  };
}

function brokenFlaw(error: unknown): FoundFlaw {
  if (!(error instanceof StructureError)) throw error;
  return { kind: 'damaged', problem: `is damaged: ${error.message}` };
}

function toCheckedFiles(files: readonly CheckedFile[]): CheckedFiles {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  return { files, file: (path) => byPath.get(path), hasFolder: (path) => folders.has(path) };
}
