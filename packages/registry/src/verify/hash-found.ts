import { createHash } from 'node:crypto';
import { type Manifest, ModelRtcError } from '@model-rtc/protocol';
import { changeOf, insideTest, type ModelPlace } from '../check-files.ts';
import { BlockPool } from '../import/block-pool.ts';
import { createHashEngine, type HashEngine } from '../import/hash-engine.ts';
import { readThrough } from '../import/hash-large-files.ts';
import { SMALL_FILE_BYTES } from '../import/hash-small-files.ts';
import { createInProcessEngine } from '../import/in-process-engine.ts';
import { mapLimit } from '../map-limit.ts';
import { openModelFiles } from '../model-files.ts';
import type { FileStat } from '../model-folder.ts';
import { type FoundFile, openFound } from './found-file.ts';
import { type FilePlan, planHashing, type SpanningChunk } from './hash-plan.ts';
import type { VerifyOptions } from './verification.ts';

const SMALL_FILES_AT_ONCE = 8;
/** While one file's last blocks are hashed the next one is opened and read. */
const LARGE_FILES_AT_ONCE = 2;

/** What the bytes of a model's files turned out to be. */
export interface HashedModel {
  /** Of each file that is not right: why, as a sentence's end. In the manifest's order. */
  readonly problems: readonly { readonly path: string; readonly problem: string }[];
  /** In ascending order. */
  readonly damagedChunks: readonly number[];
  /** What each file is now, in the manifest's order; undefined where it could not be read as a file. */
  readonly stats: readonly (FileStat | undefined)[];
}

interface Pass extends Pick<VerifyOptions, 'signal' | 'onProgress'> {
  readonly place: ModelPlace;
  readonly manifest: Manifest;
  readonly inside: (path: string) => Promise<boolean>;
  throwIfCancelled(): void;
  addProgress(bytes: number): void;
}

interface FileVerdict {
  readonly problem?: string | undefined;
  readonly damaged: readonly number[];
  readonly stat?: FileStat | undefined;
}

/** Reads each file of a model once and holds it, whole and chunk by chunk, against the manifest. */
export async function hashFound(
  place: ModelPlace,
  manifest: Manifest,
  options: Pick<VerifyOptions, 'signal' | 'onProgress'>,
): Promise<HashedModel> {
  const plan = planHashing(manifest);
  const pass = startPass(place, manifest, options);
  const verdicts = new Map<FilePlan, FileVerdict>();
  const small = plan.files.filter(({ file }) => file.size <= SMALL_FILE_BYTES);
  const large = plan.files.filter(({ file }) => file.size > SMALL_FILE_BYTES);
  await hashWith(createInProcessEngine, small, SMALL_FILES_AT_ONCE, pass, verdicts);
  const largeBytes = large.reduce((sum, { file }) => sum + file.size, 0);
  await hashWith(() => createHashEngine(largeBytes), large, LARGE_FILES_AT_ONCE, pass, verdicts);
  const damaged = new Set([...verdicts.values()].flatMap((verdict) => [...verdict.damaged]));
  for (const index of await damagedSpanning(plan.spanning, pass)) damaged.add(index);
  return {
    problems: plan.files.flatMap((file) => {
      const problem = verdicts.get(file)?.problem;
      return problem === undefined ? [] : [{ path: file.file.path, problem }];
    }),
    damagedChunks: [...damaged].sort((a, b) => a - b),
    stats: plan.files.map((file) => verdicts.get(file)?.stat),
  };
}

function startPass(
  place: ModelPlace,
  manifest: Manifest,
  { signal, onProgress }: Pick<VerifyOptions, 'signal' | 'onProgress'>,
): Pass {
  const totalBytes = manifest.files.reduce((sum, file) => sum + file.size, 0);
  let doneBytes = 0;
  return {
    place,
    manifest,
    inside: insideTest(place),
    throwIfCancelled() {
      if (!signal?.aborted) return;
      throw new ModelRtcError('cancelled', 'Cancelled; nothing was changed.', { cause: signal.reason });
    },
    addProgress(bytes) {
      doneBytes += bytes;
      onProgress?.({ doneBytes, totalBytes });
    },
  };
}

async function hashWith(
  createEngine: () => HashEngine,
  files: readonly FilePlan[],
  atOnce: number,
  pass: Pass,
  verdicts: Map<FilePlan, FileVerdict>,
): Promise<void> {
  if (files.length === 0) return;
  const engine = createEngine();
  try {
    const pool = new BlockPool(engine.blocks);
    await mapLimit(files, atOnce, async (plan) => {
      pass.throwIfCancelled();
      verdicts.set(plan, await judgeFile(plan, pass, engine, pool));
    });
  } finally {
    await engine.close();
  }
}

async function judgeFile(plan: FilePlan, pass: Pass, engine: HashEngine, pool: BlockPool): Promise<FileVerdict> {
  const { path, size } = plan.file;
  const found = await openFound(pass.place, path, pass.inside);
  if (typeof found === 'string') {
    pass.addProgress(size);
    return { problem: found, damaged: allParts(plan) };
  }
  try {
    const readable = Math.min(found.size, size);
    const hashing = engine.open(plan.parts);
    await readThrough({ size: readable, readInto: found.readInto }, hashing, pool, pass);
    pass.addProgress(size - readable);
    const { sha256, chunks } = await hashing.finish();
    const stat = { path, size: found.size, mtimeNs: found.mtimeNs };
    if (!(await found.isUnchanged())) {
      return { problem: 'it was written to while it was verified', damaged: allParts(plan), stat };
    }
    const damaged = damagedParts(plan, pass.manifest, chunks, found);
    return { problem: problemOf(plan, found, sha256, damaged.length), damaged, stat };
  } finally {
    await found.close();
  }
}

function allParts({ firstChunk, parts }: FilePlan): number[] {
  return parts.map((_, i) => firstChunk + i);
}

/** A chunk that lies in several files is judged by itself, unless a part of it cannot be read. */
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
  if (found.unreadable.length > 0) return `the disk does not give ${damaged} of its ${parts.length} chunks`;
  const change = changeOf({ ...file, mtimeNs: found.mtimeNs }, { size: BigInt(found.size), mtimeNs: found.mtimeNs });
  if (change !== undefined) return change;
  if (sha256 === file.sha256) return damaged === 0 ? undefined : 'its chunks in the manifest are not those of the file';
  if (damaged === 0) return 'its SHA-256 is not the one in the manifest';
  return `${damaged} of its ${parts.length} chunks ${damaged === 1 ? 'is not as it was' : 'are not as they were'}`;
}

async function damagedSpanning(spanning: readonly SpanningChunk[], pass: Pass): Promise<number[]> {
  if (spanning.length === 0) return [];
  const { place, manifest } = pass;
  const stats = manifest.files.map(({ path, size }) => ({ path, size, mtimeNs: 0n }));
  const files = openModelFiles(place, stats, { inAnyState: true });
  const damaged: number[] = [];
  try {
    for (const { index, offset } of spanning) {
      pass.throwIfCancelled();
      const chunk = manifest.chunks[index];
      const bytes = new Uint8Array(chunk?.size ?? 0);
      const isRead = await files.read(offset, bytes).then(
        () => true,
        () => false,
      );
      if (!isRead || createHash('sha256').update(bytes).digest('hex') !== chunk?.digest) damaged.push(index);
    }
  } finally {
    await files.close();
  }
  return damaged;
}
