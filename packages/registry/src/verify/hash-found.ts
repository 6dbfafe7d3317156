import { createHash } from 'node:crypto';
import { mapLimit } from '@model-rtc/files';
import type { FloatFindings, FloatSpan } from '@model-rtc/formats/validation';
import type { Manifest } from '@model-rtc/protocol';
import { modelSize } from '@model-rtc/protocol';
import type { RegistryContext } from '../context.ts';
import { changeOf, insideTest } from '../files/check-files.ts';
import { openDamagedFiles } from '../files/model-files.ts';
import type { ModelPlace } from '../files/types.ts';
import { BlockPool, createBlockMemory } from '../hash/hash-blocks.ts';
import { createHashEngine, MIN_BYTES_FOR_THREADS } from '../hash/hash-engine.ts';
import { readThrough } from '../hash/hash-large-files.ts';
import { SMALL_FILE_BYTES } from '../hash/hash-small-files.ts';
import type { HashEngine } from '../hash/types.ts';
import { createMeter, type Meter, type ProgressOptions } from '../progress.ts';
import type { FileStat } from '../store/types.ts';
import { type FoundFile, openFound } from './found-file.ts';
import { type FilePlan, type HashPlan, planHashing, type SpanningChunk } from './hash-plan.ts';

/** In the process: opening and reading wait for the disk; Node does 4 such things at once, so twice that keeps it busy. */
const FILES_AT_ONCE = 8;
/** In threads: while one file's last blocks are hashed the next one is opened and read. */
const LARGE_FILES_AT_ONCE = 2;

/** What was found in the bytes of a model's files. */
export interface HashedModel {
  /** The damaged files in the manifest's order, each with its problem as the end of a sentence. */
  readonly problems: readonly { readonly path: string; readonly problem: string }[];
  /** In ascending order. */
  readonly damagedChunks: readonly number[];
  /** Each file's state now, in the manifest's order; undefined when it could not be read as a file. */
  readonly stats: readonly (FileStat | undefined)[];
  /** What the numbers are in the files that were to be looked at. */
  readonly floats: ReadonlyMap<string, FloatFindings>;
}

export interface HashFoundOptions extends ProgressOptions {
  /** Where numbers lie that are to be looked at in the same reading, by the path of their file. */
  readonly spans?: ReadonlyMap<string, readonly FloatSpan[]> | undefined;
}

interface Pass {
  readonly place: ModelPlace;
  readonly manifest: Manifest;
  readonly inside: (path: string) => Promise<boolean>;
  readonly meter: Meter;
  readonly spans: HashFoundOptions['spans'];
}

interface FileVerdict {
  readonly problem?: string | undefined;
  readonly damaged: readonly number[];
  readonly stat?: FileStat | undefined;
  readonly floats?: FloatFindings | undefined;
}

/** Reads each file of a model once and compares it, whole and chunk by chunk, with the manifest. */
export type HashFound = (place: ModelPlace, manifest: Manifest, options: HashFoundOptions) => Promise<HashedModel>;

/** The registry's context, and the hashing that verifying needs. */
export interface VerifyContext extends RegistryContext {
  readonly hashFound: HashFound;
}

/** An engine with the pool of its blocks. */
interface Hasher {
  readonly engine: HashEngine;
  readonly pool: BlockPool;
  readonly filesAtOnce: number;
}

/**
 * A person may verify thousands of models in one go, so the memory for reading is used again: the garbage collector would
 * let hundreds of megabytes pile up. Threads start anew for each large model.
 */
export function createHashFound(): HashFound {
  const inProcess = hasherOf(createHashEngine(0), FILES_AT_ONCE);
  const spare: SharedArrayBuffer[] = [];
  return async (place, manifest, options) => {
    const plan = planHashing(manifest);
    const meter = createMeter(modelSize(manifest), options, 'nothing was changed');
    const pass: Pass = { place, manifest, inside: insideTest(place), meter, spans: options.spans };
    const verdicts = new Map<FilePlan, FileVerdict>();
    const large = plan.files.filter(({ file }) => file.size > SMALL_FILE_BYTES);
    const largeBytes = large.reduce((sum, { file }) => sum + file.size, 0);
    const threaded = largeBytes >= MIN_BYTES_FOR_THREADS ? new Set(large) : new Set<FilePlan>();
    const others = plan.files.filter((file) => !threaded.has(file));
    await hashIn(inProcess, others, pass, verdicts);
    if (threaded.size > 0) {
      const memory = spare.pop() ?? createBlockMemory();
      {
        await using engine = createHashEngine(largeBytes, memory);
        await hashIn(hasherOf(engine, LARGE_FILES_AT_ONCE), [...threaded], pass, verdicts);
      }
      // Not after a failure, since the other file may still be read into it.
      spare.push(memory);
    }
    return toHashedModel(plan, verdicts, await damagedSpanning(plan.spanning, pass));
  };
}

function hasherOf(engine: HashEngine, filesAtOnce: number): Hasher {
  return { engine, pool: new BlockPool(engine.blocks), filesAtOnce };
}

async function hashIn(
  hasher: Hasher,
  files: readonly FilePlan[],
  pass: Pass,
  verdicts: Map<FilePlan, FileVerdict>,
): Promise<void> {
  await mapLimit(files, hasher.filesAtOnce, async (plan) => {
    pass.meter.throwIfCancelled();
    verdicts.set(plan, await judgeFile(plan, pass, hasher));
  });
}

function toHashedModel(
  { files }: HashPlan,
  verdicts: ReadonlyMap<FilePlan, FileVerdict>,
  damagedSpanning: readonly number[],
): HashedModel {
  const damaged = new Set(damagedSpanning);
  for (const verdict of verdicts.values()) for (const index of verdict.damaged) damaged.add(index);
  return {
    problems: files.flatMap((file) => {
      const problem = verdicts.get(file)?.problem;
      return problem === undefined ? [] : [{ path: file.file.path, problem }];
    }),
    damagedChunks: [...damaged].sort((a, b) => a - b),
    stats: files.map((file) => verdicts.get(file)?.stat),
    floats: new Map(
      files.flatMap((file) => {
        const found = verdicts.get(file)?.floats;
        return found === undefined ? [] : [[file.file.path, found] as const];
      }),
    ),
  };
}

async function judgeFile(plan: FilePlan, pass: Pass, { engine, pool }: Hasher): Promise<FileVerdict> {
  const { path, size } = plan.file;
  const found = await openFound(pass.place, path, pass.inside);
  if (typeof found === 'string') {
    pass.meter.add(size);
    return { problem: found, damaged: allParts(plan) };
  }
  await using _file = found;
  const readable = Math.min(found.size, size);
  const hashing = engine.open(plan.parts, pass.spans?.get(path));
  await readThrough({ size: readable, readInto: found.readInto }, hashing, pool, pass.meter);
  pass.meter.add(size - readable);
  const { sha256, chunks, floats } = await hashing.finish();
  const stat = { path, size: found.size, mtimeNs: found.mtimeNs };
  if (!(await found.isUnchanged())) {
    return { problem: 'it was changed while it was verified', damaged: allParts(plan), stat };
  }
  const damaged = damagedParts(plan, pass.manifest, chunks, found);
  return { problem: problemOf(plan, found, sha256, damaged.length), damaged, stat, floats };
}

function allParts({ firstChunk, parts }: FilePlan): number[] {
  return parts.map((_, i) => firstChunk + i);
}

/** A chunk in several files is checked separately, unless a part of it cannot be read. */
function damagedParts(
  { file, firstChunk, parts }: FilePlan,
  { chunks }: Manifest,
  digests: readonly string[],
  { unreadable, size }: FoundFile,
): number[] {
  const damaged: number[] = [];
  let start = 0;
  for (const [i, part] of parts.entries()) {
    const index = firstChunk + i;
    const end = start + part;
    const isWhole = chunks[index]?.size === part;
    const isLost = unreadable.some((gap) => gap.start < end && gap.end > start) || end > Math.min(size, file.size);
    if (isLost || (isWhole && digests[i] !== chunks[index]?.digest)) damaged.push(index);
    start = end;
  }
  return damaged;
}

function problemOf({ file, parts }: FilePlan, found: FoundFile, sha256: string, damaged: number): string | undefined {
  if (found.unreadable.length > 0) return `the disk cannot read ${damaged} of its ${parts.length} chunks`;
  const change = changeOf({ ...file, mtimeNs: found.mtimeNs }, { size: BigInt(found.size), mtimeNs: found.mtimeNs });
  if (change !== undefined) return change;
  if (sha256 === file.sha256) return damaged === 0 ? undefined : 'its chunks in the manifest do not match the file';
  if (damaged === 0) return 'its SHA-256 is not the one in the manifest';
  return `${damaged} of its ${parts.length} chunks ${damaged === 1 ? 'is not as it was' : 'are not as they were'}`;
}

async function damagedSpanning(spanning: readonly SpanningChunk[], pass: Pass): Promise<number[]> {
  if (spanning.length === 0) return [];
  const { place, manifest } = pass;
  await using files = openDamagedFiles(place, manifest);
  const damaged: number[] = [];
  for (const { index, offset } of spanning) {
    pass.meter.throwIfCancelled();
    const chunk = manifest.chunks[index];
    const bytes = new Uint8Array(chunk?.size ?? 0);
    const isRead = await files.read(offset, bytes).then(
      () => true,
      () => false,
    );
    if (!isRead || createHash('sha256').update(bytes).digest('hex') !== chunk?.digest) damaged.push(index);
  }
  return damaged;
}
