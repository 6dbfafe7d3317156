import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const MEBIBYTE = 1024 * 1024;

export interface SparseFileOptions {
  /** Files of different seeds share no chunk with a marker in it. */
  readonly seed?: number | undefined;
  /** How far apart the markers are: 1 MiB unless told, so that no two chunks of 1 MiB are alike. */
  readonly markerEveryBytes?: number | undefined;
}

/**
 * A file that is large to read and small on the disk: zeros, with a marker that is nowhere else at the start of every
 * mebibyte and at its very end. Without markers a transfer would send one chunk of zeros and reuse it.
 */
export async function makeSparseFile(path: string, sizeBytes: number, options: SparseFileOptions = {}): Promise<void> {
  const { seed = 1, markerEveryBytes = MEBIBYTE } = options;
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w');
  try {
    await file.truncate(sizeBytes);
    for (let offset = 0; offset < sizeBytes; offset += markerEveryBytes)
      await writeMarker(file, seed, offset, sizeBytes);
    if (sizeBytes > 0) await file.write(Buffer.of(1 + (seed % 255)), 0, 1, sizeBytes - 1);
  } finally {
    await file.close();
  }
}

async function writeMarker(
  file: { write(bytes: Buffer, start: number, length: number, offset: number): Promise<unknown> },
  seed: number,
  offset: number,
  sizeBytes: number,
): Promise<void> {
  const marker = Buffer.alloc(16);
  marker.writeDoubleLE(seed, 0);
  marker.writeDoubleLE(offset, 8);
  await file.write(marker, 0, Math.min(marker.length, sizeBytes - offset), offset);
}

/** A file of bytes that no compression shrinks and no other file shares. */
export async function makeRandomFile(path: string, sizeBytes: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w');
  try {
    for (let left = sizeBytes; left > 0; left -= MEBIBYTE) await file.write(randomBytes(Math.min(left, MEBIBYTE)));
  } finally {
    await file.close();
  }
}

export interface FileFacts {
  readonly size: number;
  readonly sha256: string;
  /** Permission bits. */
  readonly mode: number;
}

export interface TreeOptions {
  /** Names of files and folders, at any depth, that do not count. */
  readonly ignore?: readonly string[] | undefined;
}

/**
 * What a folder holds, by `/`-separated path: two folders are the same when these maps are equal. Links count as what
 * they lead to.
 */
export async function treeDigest(folder: string, options: TreeOptions = {}): Promise<Map<string, FileFacts>> {
  const facts = new Map<string, FileFacts>();
  const names = (await readdir(folder)).sort();
  for (const name of names) {
    if (options.ignore?.includes(name)) continue;
    const path = join(folder, name);
    const { size, mode, isFolder } = await statOf(path);
    if (isFolder) {
      for (const [below, fact] of await treeDigest(path, options)) facts.set(`${name}/${below}`, fact);
    } else facts.set(name, { size, sha256: await sha256Of(path), mode });
  }
  return facts;
}

async function statOf(path: string): Promise<{ size: number; mode: number; isFolder: boolean }> {
  const stats = await stat(path);
  return { size: stats.size, mode: stats.mode & 0o777, isFolder: stats.isDirectory() };
}

/** The SHA-256 of a file, as hex. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: MEBIBYTE }), hash);
  return hash.digest('hex');
}
