import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { atStorage, ignoreMissing, listFolder } from '@model-rtc/files';
import { type Digest, type Log, type ModelEntry, ModelRtcError, modelEntrySchema } from '@model-rtc/protocol';
import * as z from 'zod';
import type { Availability, KnownWorker, SeenModel, SeenWorker } from './types.ts';
import { MAX_ENTRY_CHARS, MAX_NAME_CHARS, MAX_WORKER_BYTES, MAX_WORKER_MODELS } from './worker-limits.ts';

const VERSION = 1;
const KEY = /^[0-9a-f]{8,64}$/;

const timeSchema = z.iso.datetime();

/** The models stay unparsed: most readers look at a few of ten thousand. */
const workerFileSchema = z.object({
  version: z.literal(VERSION),
  key: z.string().regex(KEY),
  name: z.string().min(1).max(MAX_NAME_CHARS),
  seenAt: timeSchema,
  syncedAt: timeSchema.optional(),
  models: z.record(z.string(), z.unknown()),
});

const seenModelSchema = z.object({ seenAt: timeSchema, entry: modelEntrySchema });

/** A worker as its file holds it. Its models are hostile until `parseSeenModel` has looked at them. */
export interface StoredWorker extends Omit<SeenWorker, 'models'> {
  /** By digest, or by id while a model has no digest. */
  readonly models: ReadonlyMap<string, unknown>;
}

/** @throws ModelRtcError `bad_argument` when the key cannot be a file name */
export function workerPath(folder: string, { key }: KnownWorker): string {
  if (KEY.test(key)) return join(folder, `${key}.json`);
  throw new ModelRtcError('bad_argument', `"${key}" is not the key of a worker, which has 8 to 64 hex characters.`);
}

export function modelKey({ digest, id }: ModelEntry): string {
  return digest ?? id;
}

/** Undefined when this version would not write it so. */
export function parseSeenModel(stored: unknown): SeenModel | undefined {
  return seenModelSchema.safeParse(stored).data;
}

/** All models that this version can read. */
export function* seenModels(models: StoredWorker['models']): Iterable<SeenModel> {
  for (const stored of models.values()) {
    const model = parseSeenModel(stored);
    if (model !== undefined) yield model;
  }
}

/** Orders what was seen last before what was seen earlier. */
export function latestFirst(a: { readonly seenAt: string }, b: { readonly seenAt: string }): number {
  return a.seenAt === b.seenAt ? 0 : a.seenAt < b.seenAt ? 1 : -1;
}

/** The workers that have a model, latest sighting first. */
export function whoHas(workers: readonly StoredWorker[], digest: Digest | undefined): Availability[] {
  if (digest === undefined) return [];
  const at = workers.flatMap(({ key, name, models }) => {
    const model = parseSeenModel(models.get(digest));
    return model?.entry.digest === digest ? [{ key, name, seenAt: model.seenAt, alias: model.entry.alias }] : [];
  });
  return at.sort(latestFirst);
}

/** The keys of all workers that have a file. */
export async function listWorkerKeys(folder: string): Promise<string[]> {
  const names = (await listFolder(folder)).map(({ name }) => name);
  return names.filter((name) => name.endsWith('.json') && KEY.test(name.slice(0, -5))).map((name) => name.slice(0, -5));
}

/**
 * Undefined when there is none. A damaged file counts as none, since the next sync brings all of it back.
 * @throws ModelRtcError `storage` when the disk refuses
 */
export async function readWorkerFile(path: string, key: string, log: Log): Promise<StoredWorker | undefined> {
  const text = await atStorage(path, 'read', () => readText(path));
  if (text === undefined) return undefined;
  try {
    const { models, version: _, ...known } = workerFileSchema.parse(JSON.parse(text));
    if (known.key !== key) throw new Error(`it is of the worker ${known.key}`);
    return { ...known, models: new Map(Object.entries(models)) };
  } catch (thrown) {
    log.warn({ path, error: thrown }, 'the models of a worker cannot be read: the next sync brings it again');
    return undefined;
  }
}

async function readText(path: string): Promise<string | undefined> {
  await using file = await ignoreMissing(open(path, 'r'));
  if (file === undefined) return undefined;
  const { size } = await file.stat();
  // We never write a file this long. An empty text is not JSON, so the file counts as damaged.
  return size > MAX_WORKER_BYTES * 2 ? '' : await file.readFile('utf8');
}

/**
 * One line a model, so that a person can look for one. When not all fit, the first ones stay.
 * @returns the text, and how many models did not fit
 */
export function encodeWorker({ models, key, name, seenAt, syncedAt }: StoredWorker): {
  text: string;
  dropped: number;
} {
  const lines: string[] = [];
  let chars = 0;
  for (const [model, stored] of models) {
    const line = `${JSON.stringify(model)}: ${JSON.stringify(stored)}`;
    // UTF-8 takes at most three bytes for one of these characters.
    chars += line.length;
    if (lines.length >= MAX_WORKER_MODELS || chars * 3 > MAX_WORKER_BYTES) break;
    lines.push(line);
  }
  const head = JSON.stringify({ version: VERSION, key, name, seenAt, syncedAt });
  const text = `${head.slice(0, -1)},"models":{\n${lines.join(',\n')}\n}}\n`;
  return { text, dropped: models.size - lines.length };
}

/** What is kept of an entry: all of an ordinary one, and only what a list shows of an oversized one. */
export function keptEntry(entry: ModelEntry): ModelEntry {
  if (JSON.stringify(entry).length <= MAX_ENTRY_CHARS) return entry;
  const { notes: _notes, lineage: _lineage, codeFiles: _codeFiles, warnings: _warnings, ...rest } = entry;
  return { ...rest, metrics: {}, hyperparameters: {}, versions: {} };
}
