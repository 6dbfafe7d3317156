import { createHash } from 'node:crypto';
import type { Digest, ModelContents } from '@model-rtc/protocol';
import type { ChunkSource, WantedChunk } from '../../src/index.ts';
import type { TestModel } from './models.ts';

/** What git calls a file. */
export function gitSha1(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/** What a hub knows of a model: the SHA-256 of large files, git's hash of small ones, and no chunks. */
export function hubContents(
  { manifest, files }: Pick<TestModel, 'manifest' | 'files'>,
  largeBytes: number,
): ModelContents {
  return {
    files: manifest.files.map(({ path, size, sha256 }) =>
      size >= largeBytes ? { path, size, sha256 } : { path, size, gitSha1: gitSha1(files.get(path) as Buffer) },
    ),
  };
}

/** What a static registry knows of a model: the digests of its own chunks, which may span files, and no hashes of files. */
export function staticContents({ manifest }: Pick<TestModel, 'manifest'>): ModelContents {
  return { files: manifest.files.map(({ path, size }) => ({ path, size })), chunks: manifest.chunks };
}

/** What a static registry knows whose chunks are longer than ours may be: digests of spans, and no hashes of files. */
export function spannedContents(
  { manifest, files }: Pick<TestModel, 'manifest' | 'files'>,
  bytes: number,
): ModelContents {
  const whole = Buffer.concat([...files.values()]);
  const spans: NonNullable<ModelContents['spans']> = [];
  for (let at = 0; at < whole.length; at += bytes) {
    const span = whole.subarray(at, at + bytes);
    spans.push({ digest: createHash('sha256').update(span).digest('hex') as Digest, size: span.length });
  }
  return { files: manifest.files.map(({ path, size }) => ({ path, size })), spans };
}

export interface RangeSourceOptions {
  readonly name?: string;
  /** What is sent in place of the right bytes; called with a copy of them. */
  readonly alter?: (chunk: WantedChunk, bytes: Buffer, times: number) => Buffer | Promise<Buffer>;
}

/** A source that finds bytes by where they lie in files, and notes what it is asked for. */
export interface RangeSource extends ChunkSource {
  readonly asked: WantedChunk[];
}

export function rangeSource(
  files: ReadonlyMap<string, Buffer>,
  { name = 'hub', alter = (_chunk, bytes) => bytes }: RangeSourceOptions = {},
): RangeSource {
  const asked: WantedChunk[] = [];
  return {
    name,
    asked,
    async fetch(chunks, { signal, onPiece }) {
      asked.push(...chunks);
      for (const chunk of chunks) {
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
        const parts = chunk
          .extents()
          .map(({ path, offset, length }) => files.get(path)?.subarray(offset, offset + length) ?? Buffer.alloc(0));
        const times = asked.filter(({ index }) => index === chunk.index).length;
        onPiece(chunk.index, 0, await alter(chunk, Buffer.concat(parts), times), true);
      }
    },
  };
}

/** Damages the first byte. */
export function lied(bytes: Buffer): Buffer {
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return bytes;
}
