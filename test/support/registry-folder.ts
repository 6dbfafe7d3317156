import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import { type Digest, type ModelPath, modelDigest } from '@model-rtc/protocol';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'model-rtc-static-'));
  folders.push(folder);
  return folder;
}

export function sha256(bytes: Uint8Array | string): Digest {
  return createHash('sha256').update(bytes).digest('hex') as Digest;
}

export interface PublishOptions {
  readonly chunkBytes: number;
  /** Whether the manifest has the SHA-256 of files and the model's digest, as ours have. */
  readonly withHashes?: boolean;
  readonly metadata?: object;
}

/** The digest that an import of these files gives. */
export function digestOf(files: Readonly<Record<string, Buffer>>): Digest {
  return modelDigest(
    Object.entries(files).map(([path, bytes]) => ({
      path: path as ModelPath,
      size: bytes.length,
      sha256: sha256(bytes),
    })),
  );
}

/** A manifest of the format, and its chunks. */
export function cut(files: Readonly<Record<string, Buffer>>, { chunkBytes, withHashes = false }: PublishOptions) {
  const whole = Buffer.concat(Object.values(files));
  const chunks: Buffer[] = [];
  for (let at = 0; at < whole.length; at += chunkBytes) chunks.push(whole.subarray(at, at + chunkBytes));
  const manifest = {
    total_size: whole.length,
    chunk_size: chunkBytes,
    chunks: chunks.map((chunk) => sha256(chunk)),
    files: Object.entries(files).map(([path, bytes]) => ({
      path,
      size: bytes.length,
      ...(withHashes ? { sha256: sha256(bytes) } : {}),
    })),
    ...(withHashes ? { digest: digestOf(files) } : {}),
  };
  return { manifest, chunks };
}

/** Adds a version to a registry in a folder, as another tool would. @returns the hash of its manifest */
export async function publish(
  folder: string,
  [group, model, version]: readonly [string, string, string],
  files: Readonly<Record<string, Buffer>>,
  options: PublishOptions,
): Promise<Digest> {
  const { manifest, chunks } = cut(files, options);
  await mkdir(join(folder, 'data'), { recursive: true });
  for (const chunk of chunks) await writeFile(join(folder, 'data', sha256(chunk)), chunk);
  const text = JSON.stringify(manifest);
  await writeFile(join(folder, 'data', sha256(text)), text);
  await changeList(folder, (list) => {
    // Without prototypes, since a group may be called `constructor`.
    const models = bare(list[group]);
    const versions = bare(models[model]);
    versions[version] = { hash: sha256(text), metadata: options.metadata ?? {} };
    models[model] = versions;
    list[group] = models;
  });
  return sha256(text);
}

type List = Record<string, Record<string, Record<string, object>>>;

export async function changeList(folder: string, change: (list: List) => void): Promise<void> {
  const path = join(folder, 'models.json');
  const list = bare(JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as List);
  change(list);
  await writeFile(path, JSON.stringify(list));
}

function bare<T extends object>(map: T | undefined): T {
  return Object.assign(Object.create(null), map) as T;
}
