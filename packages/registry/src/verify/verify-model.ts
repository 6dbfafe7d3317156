import { lstat, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, mapLimit } from '@model-rtc/files';
import { type Digest, type IncompleteFile, type Manifest, modelSize, OWN_FOLDER } from '@model-rtc/protocol';
import { updateChunks } from '../chunks/chunk-index.ts';
import type { RegistryContext } from '../context.ts';
import { resolveRef } from '../entry/resolve.ts';
import type { StoredEntry } from '../entry/types.ts';
import { checkFiles, LISTED_PROBLEMS } from '../files/check-files.ts';
import { placeOf } from '../files/registered-model.ts';
import type { FileProblem, ModelPlace } from '../files/types.ts';
import type { ModelReading } from '../inspect/types.ts';
import {
  readEntryNote,
  readManifestNote,
  readStatsNote,
  updateEntryNote,
  updateManifestNote,
  updateStatsNote,
} from '../store/model-notes.ts';
import type { FileStat } from '../store/types.ts';
import type { HashedModel, HashFoundOptions, VerifyContext } from './hash-found.ts';
import { rebuildManifest } from './rebuild-manifest.ts';
import type { VerifiedModel, VerifyOptions } from './types.ts';

const STATS_AT_ONCE = 16;

/** The findings about a model. */
interface Findings extends Pick<VerifiedModel, 'damagedChunks' | 'damagedBytes' | 'settled' | 'incomplete'> {
  readonly problems: readonly FileProblem[];
  readonly floats: HashedModel['floats'];
}

/** A model's notes on the disk; undefined for a missing or damaged one. */
interface Notes {
  readonly manifest: Manifest | undefined;
  readonly stats: readonly FileStat[] | undefined;
  readonly isEntryRight: boolean;
}

const SOUND: Findings = {
  ...{ problems: [], damagedChunks: [], damagedBytes: 0, settled: [], incomplete: [] },
  floats: new Map(),
};

/** What else is looked at while every byte is read. */
export type VerifyAndScanOptions = VerifyOptions & Pick<HashFoundOptions, 'spans'>;

/** A verified model, and what its numbers are where they were to be looked at. */
export interface ScannedVerification {
  readonly verified: VerifiedModel;
  readonly floats: HashedModel['floats'];
}

/** Checks a model's entry, folder and files against each other. */
export async function verifyModel(
  context: VerifyContext,
  ref: string,
  options: VerifyAndScanOptions,
): Promise<ScannedVerification> {
  const { index, paths } = context;
  const { stored } = await resolveRef(await index.read(), ref, paths.models);
  const { digest } = stored;
  if (digest === undefined) return await toVerified(context, stored, SOUND);
  const findings = await examine(context, stored, digest, options);
  if (findings.problems.length === 0) return await toVerified(context, stored, findings);
  // Files that a pull or a deletion replaces or removes meanwhile look damaged for a moment.
  const now = (await resolveRef(await index.read(), digest, paths.models)).stored;
  if (now === stored) return await toVerified(context, stored, findings);
  return await toVerified(context, now, await examine(context, now, digest, options));
}

async function toVerified(
  { show }: RegistryContext,
  stored: StoredEntry,
  { problems, floats, ...rest }: Findings,
): Promise<ScannedVerification> {
  const soundState = rest.incomplete.length === 0 ? 'sound' : 'incomplete';
  const state = problems.length === 0 ? soundState : 'damaged';
  const verified: VerifiedModel = {
    ...rest,
    entry: await show(stored),
    state: stored.digest === undefined ? 'unsettled' : state,
    problems: problems.slice(0, LISTED_PROBLEMS),
    damagedFiles: problems.length,
  };
  return { verified, floats };
}

async function examine(
  context: VerifyContext,
  stored: StoredEntry,
  digest: Digest,
  options: VerifyAndScanOptions,
): Promise<Findings> {
  const path = join(context.paths.models, stored.folder);
  const folder = await lstat(path).catch(() => undefined);
  if (!folder?.isDirectory()) {
    const problem = folder === undefined ? 'its folder is missing' : 'its folder is no longer a folder';
    return { ...SOUND, problems: [{ path: '', problem }], damagedBytes: stored.size };
  }
  const notes = await readNotes(path, stored, digest);
  const place = placeOf(context.paths, stored);
  const rebuild = notes.manifest === undefined && options.quick !== true;
  const manifest = rebuild ? await rebuildManifest(context, place, digest, options) : notes.manifest;
  if (manifest === undefined) return { ...SOUND, problems: [noteProblem('manifest.json')] };
  const contradiction = contradictionOf(stored, manifest);
  const before = contradiction === undefined ? [] : [{ path: '', problem: contradiction }];
  if (options.quick) {
    const problems = [...before, ...(await quickProblems(place, notes))];
    return {
      ...SOUND,
      problems,
      incomplete: await incompleteOf(context.reading, place.path, manifest, problems, options),
    };
  }
  const hashed = await context.hashFound(place, manifest, options);
  const { problems, damagedChunks, floats } = hashed;
  const settled = problems.length === 0 ? await correctNotes(context, stored, notes, { ...hashed, manifest }) : [];
  const incomplete = await incompleteOf(context.reading, place.path, manifest, problems, options);
  const all = [...before, ...problems];
  const damagedBytes = bytesOf(damagedChunks, manifest);
  return { problems: all, damagedChunks, damagedBytes, settled, incomplete, floats };
}

/** What the model lacked when it was registered. */
async function incompleteOf(
  reading: ModelReading,
  path: string,
  manifest: Manifest,
  problems: readonly FileProblem[],
  { signal }: VerifyOptions,
): Promise<readonly IncompleteFile[]> {
  if (problems.length > 0) return [];
  const { findDamagedBlobs, findIncomplete, toIncomplete } = await import('../inspect/find-incomplete.ts');
  const files = await mapLimit(manifest.files, STATS_AT_ONCE, async (file) => {
    const absolutePath = join(path, file.path);
    const { size, mtimeNs } = await atStorage(absolutePath, 'read', () => stat(absolutePath, { bigint: true }));
    return { path: file.path, absolutePath, size: Number(size), mode: 0, mtimeNs };
  });
  const flaws = [...(await findIncomplete(reading, files, signal)), ...(await findDamagedBlobs(files, manifest))];
  return toIncomplete(flaws) ?? [];
}

async function readNotes(path: string, stored: StoredEntry, digest: Digest): Promise<Notes> {
  const [manifest, stats, entry] = await Promise.all([
    readManifestNote(path, digest).catch(() => undefined),
    readStatsNote(path).catch(() => undefined),
    readEntryNote(path, stored.folder).catch(() => undefined),
  ]);
  return { manifest, stats, isEntryRight: entry?.digest === digest };
}

function noteProblem(name: string): FileProblem {
  return { path: `${OWN_FOLDER}/${name}`, problem: 'it is missing or damaged' };
}

function contradictionOf({ size, fileCount }: StoredEntry, manifest: Manifest): string | undefined {
  const [bytes, count] = [modelSize(manifest), manifest.files.length];
  if (size === bytes && fileCount === count) return undefined;
  return `the registry says ${fileCount} files of ${size} bytes, and its manifest ${count} of ${bytes}`;
}

/** Without reading the files nothing can be corrected, so a lost note counts as a problem. */
async function quickProblems(place: ModelPlace, { stats, isEntryRight }: Notes): Promise<FileProblem[]> {
  const entry = isEntryRight ? [] : [noteProblem('entry.json')];
  if (stats === undefined) return [...entry, noteProblem('files.json')];
  return [...entry, ...(await checkFiles(place, stats)).problems];
}

async function correctNotes(
  context: RegistryContext,
  stored: StoredEntry,
  { manifest: noted, stats, isEntryRight }: Notes,
  hashed: HashedModel & { readonly manifest: Manifest },
): Promise<string[]> {
  const found = hashed.stats.filter((stat) => stat !== undefined);
  const settled = [
    ...(noted === undefined ? [writtenAgain('manifest.json')] : []),
    ...(isEntryRight ? [] : [writtenAgain('entry.json')]),
    ...staleStats(stats, found),
  ];
  const rebuilt = noted === undefined ? hashed.manifest : undefined;
  if (settled.length > 0) await rewriteNotes(context, stored, found, rebuilt);
  return settled;
}

/**
 * Writes the notes in a model's folder again, under the registry's lock: a model that was replaced meanwhile has notes of its
 * own by then, and keeps them.
 * @param stats the files while all of their bytes were found right
 * @param manifest the one made again from the files, when it was lost
 */
async function rewriteNotes(
  context: RegistryContext,
  stored: StoredEntry,
  stats: readonly FileStat[],
  manifest: Manifest | undefined,
): Promise<void> {
  const { index, paths } = context;
  const { digest } = stored;
  if (digest === undefined) return;
  await index.update(async ({ byDigest }) => {
    const now = byDigest.get(digest);
    if (now === undefined || now.folder !== stored.folder || now.linked !== stored.linked) return { result: undefined };
    const folder = join(paths.models, now.folder);
    if (manifest !== undefined) {
      await atStorage(folder, 'written', async () => await mkdir(join(folder, OWN_FOLDER), { recursive: true }));
      await updateManifestNote(folder, manifest);
    }
    await updateStatsNote(folder, stats);
    await updateEntryNote(folder, now);
    return { result: undefined };
  });
  if (manifest === undefined) return;
  // Its chunks and the order of its files may differ from those of the lost one.
  await updateChunks(context, 'remove', digest, undefined);
  await updateChunks(context, 'add', digest, manifest);
}

function writtenAgain(name: string): string {
  return `${OWN_FOLDER}/${name} was missing or damaged, and is written again`;
}

function staleStats(noted: readonly FileStat[] | undefined, found: readonly FileStat[]): string[] {
  if (noted === undefined) return [writtenAgain('files.json')];
  const times = new Map(noted.map(({ path, mtimeNs }) => [path, mtimeNs]));
  const touched = found.filter(({ path, mtimeNs }) => times.get(path) !== mtimeNs).length;
  if (touched === 0) return [];
  const files = touched === 1 ? '1 file was' : `${touched} files were`;
  return [`${files} written to since the last look, and the bytes are right: the new times are noted`];
}

function bytesOf(chunks: readonly number[], manifest: Manifest): number {
  return chunks.reduce((sum, index) => sum + (manifest.chunks[index]?.size ?? 0), 0);
}
