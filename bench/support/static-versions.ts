import { randomBytes } from 'node:crypto';
import { cp, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeRandomFile } from '../../test/support/files.ts';
import type { Lab } from '../../test/support/lab.ts';
import type { Machine } from '../../test/support/machine.ts';
import { importModel } from '../../test/support/scene.ts';
import type { RemoteFile } from './http-tools.ts';

/** What the format's registries use, and what `models publish` cuts by default. */
const CHUNK_BYTES = 10_000_000;
/** One chunk of so many is another one in the second version. */
const CHANGED_EVERY = 10;
const MODEL = 'bench/model';

/** A model in a static registry, in two versions of one file each. */
export interface StaticVersions {
  /** The registry's folder. */
  readonly root: string;
  readonly totalBytes: number;
  /** The bytes of the second version that the first one does not have. */
  readonly changedBytes: number;
  /** The hashes of the chunks of the first version, and of those that only the second one has. */
  readonly chunks: readonly string[];
  readonly changed: readonly string[];
}

/** Publishes both. @param publisher - keeps the first one under the alias `first` */
export async function publishVersions(lab: Lab, publisher: Machine, totalBytes: number): Promise<StaticVersions> {
  const root = join(await lab.folder(), 'registry');
  const folder = await lab.folder();
  const [first, second] = [join(folder, '1', 'model.bin'), join(folder, '2', 'model.bin')];
  await makeRandomFile(first, totalBytes);
  await cp(first, second, { recursive: true });
  await changeChunks(second, totalBytes);
  for (const [path, alias, version] of [
    [first, 'first', '1'],
    [second, 'second', '2'],
  ] as const) {
    await importModel(publisher, path, alias);
    await publisher.succeed(['models', 'publish', alias, MODEL, version, '--to', root]);
  }
  const [chunks, after] = [await chunksOf(root, '1'), await chunksOf(root, '2')];
  const there = new Set(chunks);
  const changed = after.filter((chunk) => !there.has(chunk));
  return { root, totalBytes, changedBytes: changed.length * CHUNK_BYTES, chunks, changed };
}

/** The files of a registry that these chunks are. */
export function remoteFiles(url: string, chunks: readonly string[]): RemoteFile[] {
  return chunks.map((chunk) => ({ url: `${url}/data/${chunk}`, name: chunk, sha256: chunk }));
}

async function changeChunks(path: string, totalBytes: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    for (let at = 0; at < totalBytes; at += CHUNK_BYTES * CHANGED_EVERY)
      await file.write(randomBytes(CHUNK_BYTES), 0, CHUNK_BYTES, at);
  } finally {
    await file.close();
  }
}

async function chunksOf(root: string, version: string): Promise<string[]> {
  const list = JSON.parse(await readFile(join(root, 'models.json'), 'utf8'));
  const [group, model] = MODEL.split('/') as [string, string];
  const manifest = JSON.parse(await readFile(join(root, 'data', list[group][model][version].hash), 'utf8'));
  return manifest.chunks as string[];
}
