import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, mapLimit } from '@model-rtc/files';
import { holdsWeights } from '@model-rtc/formats';
import { ollamaModelAt } from '../import/ollama-store.ts';
import { blobPath, readLayers } from '../import/scan-ollama.ts';
import { readRunFacts } from './run-facts.ts';
import type { FoundPlace, PlaceState } from './types.ts';

/** More than a model can have, so that a runaway folder costs bounded time. */
const MAX_ENTRIES = 50_000;
const MAX_DEPTH = 8;
const STATS_AT_ONCE = 16;
const SHARD = /^(.*)-(\d{2,})-of-(\d{2,})(\.[a-z]+)$/i;
/** `model.gguf.part1of3` */
const PART = /^(.*\.[a-z]+)\.?part(\d{1,6})of(\d{1,6})()$/i;

interface SeenFile {
  readonly path: string;
  readonly stats: BigIntStats;
}

/** Looks at every file of the place, logs too: they show that a training goes on. */
export async function lookAt(place: FoundPlace): Promise<PlaceState> {
  const files = await listFiles(place);
  if (typeof files === 'string' || files.length === 0) {
    const unreadable = typeof files === 'string' && files !== 'ENOENT' ? `it cannot be read (${files})` : undefined;
    return { fingerprint: undefined, writtenAtMs: 0, touchedAtMs: 0, isPartial: false, hasWeights: false, unreadable };
  }
  if (place.kind === 'manifest') return ofManifest(files);
  const names = files.map(({ path }) => path);
  const state = {
    fingerprint: fingerprintOf(files),
    writtenAtMs: latest(files, ({ mtimeMs }) => mtimeMs),
    touchedAtMs: latest(files, ({ ctimeMs }) => ctimeMs),
    isPartial: missesShards(names),
    hasWeights: names.some(holdsWeights),
  };
  return place.kind === 'run' ? { ...state, ...(await progressOf(place.path)) } : state;
}

/** Blobs that are missing are found by the import, which names them. */
function ofManifest(files: readonly SeenFile[]): PlaceState {
  return {
    fingerprint: fingerprintOf(files),
    writtenAtMs: latest(files, ({ mtimeMs }) => mtimeMs),
    touchedAtMs: latest(files, ({ ctimeMs }) => ctimeMs),
    isPartial: false,
    hasWeights: true,
  };
}

/** A half-written configuration means that the training has only begun. */
async function progressOf(path: string): Promise<Pick<PlaceState, 'progress' | 'hasWeights'> | undefined> {
  try {
    const { progress, hasWeights } = await readRunFacts(path);
    return { progress, hasWeights };
  } catch {
    return undefined;
  }
}

/** The files, or the code of the error that keeps them from being listed. */
async function listFiles({ kind, path, group }: FoundPlace): Promise<SeenFile[] | string> {
  try {
    if (kind === 'manifest') return await listBlobs(path);
    if (kind === 'file') return [{ path, stats: await stat(path, { bigint: true }) }];
    const files = await listBelow(path);
    return kind === 'snapshot' && group !== undefined ? [...files, ...(await listDownloads(group))] : files;
  } catch (thrown) {
    return errorCode(thrown) ?? String(thrown);
  }
}

/** The manifest, and the blobs that are there. */
async function listBlobs(manifest: string): Promise<SeenFile[]> {
  const stats = await stat(manifest, { bigint: true });
  const store = (await ollamaModelAt(manifest))?.store;
  const layers = store === undefined ? [] : await readLayers(manifest).catch(() => []);
  const blobs = await mapLimit(layers, STATS_AT_ONCE, async (layer) => {
    const path = blobPath(join(store ?? '', 'blobs'), layer);
    const found = await stat(path, { bigint: true }).catch(() => undefined);
    return found === undefined ? undefined : { path, stats: found };
  });
  return [{ path: manifest, stats }, ...blobs.filter((blob) => blob !== undefined)];
}

/** A snapshot gets its files one by one, so it is incomplete while a download goes on. */
async function listDownloads(repository: string): Promise<SeenFile[]> {
  const blobs = join(repository, 'blobs');
  const names = (await readdir(blobs).catch(() => [])).filter((name) => name.endsWith('.incomplete'));
  const files = await mapLimit(names, STATS_AT_ONCE, async (name) => {
    const path = join(blobs, name);
    const stats = await stat(path, { bigint: true }).catch(() => undefined);
    return stats === undefined ? undefined : { path, stats };
  });
  return files.filter((file) => file !== undefined);
}

async function listBelow(root: string): Promise<SeenFile[]> {
  const files: SeenFile[] = [];
  let entries = 0;
  const open = [{ path: root, depth: 0 }];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const { path, depth } = folder;
    const names = await readdir(path);
    entries += names.length;
    if (entries > MAX_ENTRIES) break;
    await mapLimit(names, STATS_AT_ONCE, async (name) => {
      const child = join(path, name);
      const stats = await stat(child, { bigint: true }).catch(() => undefined);
      if (stats?.isDirectory() && depth < MAX_DEPTH) open.push({ path: child, depth: depth + 1 });
      else if (stats?.isFile()) files.push({ path: child, stats });
    });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function latest(files: readonly SeenFile[], timeOf: (stats: BigIntStats) => bigint): number {
  return files.reduce((time, { stats }) => Math.max(time, Number(timeOf(stats))), 0);
}

function fingerprintOf(files: readonly SeenFile[]): string {
  const hash = createHash('sha256');
  for (const { path, stats } of files) {
    hash.update(`${path}\0${stats.size} ${stats.mtimeNs} ${stats.ctimeNs} ${stats.ino}\n`);
  }
  return hash.digest('hex');
}

/** Whether some of a model's numbered parts are missing. */
function missesShards(names: readonly string[]): boolean {
  const parts = new Map<string, { total: number; numbers: Set<number> }>();
  for (const name of names) {
    const shard = parseShard(name);
    if (shard === undefined) continue;
    const known = parts.get(shard.model) ?? { total: shard.total, numbers: new Set<number>() };
    parts.set(shard.model, known);
    known.numbers.add(shard.number);
  }
  return [...parts.values()].some(({ total, numbers }) => numbers.size < total);
}

/**
 * A numbered part of a model, by its file's name.
 * @returns `model`: what the names of all parts of one model share
 */
export function parseShard(name: string): { model: string; number: number; total: number } | undefined {
  const match = SHARD.exec(name) ?? PART.exec(name);
  if (match === null) return undefined;
  const [, start, number, total, extension] = match;
  return { model: `${start} ${total} ${extension}`, number: Number(number), total: Number(total) };
}
