import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import {
  type Digest,
  type Manifest,
  type ModelEntry,
  type ModelPath,
  manifestDigest,
  modelEntrySchema,
  modelSize,
} from '@model-rtc/protocol';
import type { ImportSteps, Registry, RegistryEntry } from '../../src/index.ts';

export type Files = Readonly<Record<string, string | Uint8Array>>;

/** Chunks of this size, so that a chunk of a small test model spans its files. */
const TEST_CHUNK_BYTES = 16;

export function sha256(bytes: string | Uint8Array): Digest {
  return createHash('sha256').update(bytes).digest('hex') as Digest;
}

/** A manifest whose chunks take no notice of where files end. */
export function manifestOf(files: Files, modes: Readonly<Record<string, number>> = {}): Manifest {
  const entries = Object.entries(files).map(([path, content]) => ({ path, bytes: Buffer.from(content) }));
  const all = Buffer.concat(entries.map(({ bytes }) => bytes));
  const chunks: Manifest['chunks'] = [];
  for (let at = 0; at < all.length; at += TEST_CHUNK_BYTES) {
    const bytes = all.subarray(at, at + TEST_CHUNK_BYTES);
    chunks.push({ digest: sha256(bytes), size: bytes.length });
  }
  return {
    version: 1,
    chunker: 'test',
    files: entries.map(({ path, bytes }) => ({
      path: path as ModelPath,
      size: bytes.length,
      sha256: sha256(bytes),
      mode: modes[path],
    })),
    chunks,
  };
}

export async function writeFiles(folder: string, files: Files): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

export function entryOf(manifest: Manifest, more: Partial<ModelEntry> = {}): ModelEntry {
  const digest = manifestDigest(manifest);
  return modelEntrySchema.parse({
    id: digest.slice(0, 8),
    digest,
    modelType: 'centroid',
    source: 'local-import',
    status: 'completed',
    size: modelSize(manifest),
    fileCount: manifest.files.length,
    ...more,
  });
}

let staged = 0;

/** Installs files as a transfer does: from a verified folder in staging. */
export async function installFiles(
  registry: Registry,
  files: Files,
  options: { entry?: Partial<ModelEntry> } & Partial<Omit<Parameters<Registry['install']>[0], 'entry'>> = {},
): Promise<RegistryEntry> {
  const { entry = {}, ...rest } = options;
  const manifest = rest.manifest ?? manifestOf(files);
  const filesFolder = await writeFiles(join(registry.paths.staging, `test-${process.pid}-${++staged}`), files);
  return await registry.install({
    filesFolder,
    manifest,
    entry: entryOf(manifest, entry),
    source: 'worker-pull',
    ifExists: 'skip',
    ...rest,
  });
}

/** Scanning and hashing without any knowledge of models: every file in the folder is part of it. */
export const plainImportSteps: ImportSteps = {
  async scanModel(path, options) {
    const found = await readdir(path, { recursive: true, withFileTypes: true });
    const paths = found.filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name));
    const files = await Promise.all(
      paths.sort().map(async (absolutePath) => {
        const { size, mode, mtimeNs } = await stat(absolutePath, { bigint: true });
        const inside = relative(path, absolutePath) as ModelPath;
        return { path: inside, absolutePath, size: Number(size), mode: Number(mode) & 0o777, mtimeNs };
      }),
    );
    const facts = { modelType: options?.modelType ?? 'centroid', status: 'completed' as const };
    return {
      files,
      facts: { ...facts, metrics: {}, hyperparameters: {}, versions: {}, checkpointPath: files[0]?.path },
      suggestedAlias: basename(path),
      skipped: [],
      followed: [],
    };
  },
  async hashFiles(files, { signal, onProgress } = {}) {
    signal?.throwIfAborted();
    const contents = await Promise.all(
      files.map(async (file) => [file.path, await readFile(file.absolutePath)] as const),
    );
    const manifest = manifestOf(Object.fromEntries(contents), Object.fromEntries(files.map((f) => [f.path, f.mode])));
    const totalBytes = modelSize(manifest);
    onProgress?.({ doneBytes: totalBytes, totalBytes });
    const stats = await Promise.all(
      files.map(async ({ path, size, absolutePath }) => {
        const { mtimeNs } = await lstat(absolutePath, { bigint: true });
        return { path, size, mtimeNs };
      }),
    );
    return { manifest, stats };
  },
};

export async function makeExecutable(path: string): Promise<void> {
  await chmod(path, 0o755);
}
