import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing, openToRead, storageError } from '@model-rtc/files';
import {
  type Flaw,
  MAX_OLLAMA_MANIFEST_BYTES,
  type OllamaLayer,
  readOllamaManifest,
  recogniseFolder,
  toFolder,
} from '@model-rtc/formats/layouts';
import { ModelRtcError } from '@model-rtc/protocol';
import { incompleteError } from '../inspect/find-incomplete.ts';
import { inflate } from '../inspect/inflate.ts';
import { type FollowedLink, judgeLink, linkRulesFor, linksOutError } from './link-rules.ts';
import { toModelFile } from './model-files-on-disk.ts';
import type { OllamaModel } from './ollama-store.ts';
import { sortByPath, toScannedFile } from './scanned-file.ts';
import type { Scanned, ScannedFile, ScanOptions } from './scanned-model.ts';

/**
 * The model of a manifest in ollama's store. Its files are the blobs, under names that other tools know.
 * @throws ModelRtcError `invalid_model` for a manifest that is none and for blobs that are missing or of another size;
 * `refused` for blobs that are links out of the store; `storage`
 */
export async function scanOllamaModel(model: OllamaModel, options: ScanOptions): Promise<Scanned> {
  const layers = await readLayers(model.path);
  const blobs = join(model.store, 'blobs');
  const found = await Promise.all(layers.map((layer) => findBlob(blobs, layer)));
  const flaws = found.flatMap(({ flaw }) => (flaw === undefined ? [] : [flaw]));
  if (flaws.length > 0) throw incompleteError(model.path, flaws);
  const files = sortByPath(found.flatMap(({ file }) => (file === undefined ? [] : [file])));
  const followed = await linksOut(model, files, options);
  const folder = toFolder(model.store, files.map(toModelFile), { inflate });
  const { facts } = await recogniseFolder(folder, { typeIsKnown: true });
  return { files, facts: { ...facts, runName: model.alias }, skipped: [], followed };
}

/** The parts that a manifest names. @throws ModelRtcError `invalid_model`, `storage` */
export async function readLayers(path: string): Promise<readonly OllamaLayer[]> {
  const bytes = await readStart(path).catch((thrown: unknown) => {
    throw storageError(thrown, path, 'read');
  });
  try {
    return readOllamaManifest(bytes);
  } catch (cause) {
    throw unusableManifest(path, cause);
  }
}

function unusableManifest(path: string, cause: unknown): ModelRtcError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  const sentence = `The manifest ${path} in ollama's store cannot be used: ${problem}. Pull the model again with ollama.`;
  return new ModelRtcError('invalid_model', sentence, { cause, details: { path } });
}

async function readStart(path: string): Promise<Uint8Array> {
  await using handle = await openToRead(path, true);
  const buffer = new Uint8Array(MAX_OLLAMA_MANIFEST_BYTES + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    length += bytesRead;
    if (bytesRead === 0 || length === buffer.length) return buffer.subarray(0, length);
  }
}

interface FoundBlob {
  readonly file?: ScannedFile;
  readonly flaw?: Flaw;
}

/** Where the blob of a layer is. */
export function blobPath(blobs: string, { sha256 }: Pick<OllamaLayer, 'sha256'>): string {
  return join(blobs, `sha256-${sha256}`);
}

async function findBlob(blobs: string, layer: OllamaLayer): Promise<FoundBlob> {
  const { path, sha256, size } = layer;
  const absolutePath = blobPath(blobs, layer);
  try {
    const stats = await stat(absolutePath, { bigint: true });
    if (stats.isFile() && Number(stats.size) === size) return { file: toScannedFile(path, absolutePath, stats) };
    const isShort = stats.isFile() && Number(stats.size) < size;
    const problem = `is not as its manifest says: the blob sha256-${sha256.slice(0, 12)} has ${stats.size} bytes, and ${size} belong there`;
    return { flaw: { kind: isShort ? 'cut_off' : 'damaged', path, problem } };
  } catch (thrown) {
    if (!isMissing(thrown)) throw storageError(thrown, absolutePath, 'read');
    const problem = `is missing: the blob sha256-${sha256.slice(0, 12)} is not in the store; pull the model again with ollama`;
    return { flaw: { kind: 'missing', path, problem } };
  }
}

/** Whoever may write to the store could otherwise have any file of this machine served. */
async function linksOut(
  { store }: OllamaModel,
  files: readonly ScannedFile[],
  { followLinks = false, linksWithin }: ScanOptions,
): Promise<FollowedLink[]> {
  const rules = await linkRulesFor(store, { follow: followLinks, within: linksWithin });
  const links: FollowedLink[] = [];
  for (const { path, absolutePath } of files) {
    const { target, isOutside } = await judgeLink(absolutePath, rules);
    if (isOutside) links.push({ path, target });
  }
  if (links.length > 0 && !followLinks) throw linksOutError(store, links, rules);
  return links;
}
