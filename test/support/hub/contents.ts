import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Digest } from '@model-rtc/protocol';

/** A file of a repository: its bytes, or a large one that lies on this disk. */
export type HubContent = Buffer | { readonly path: string; readonly size: number; readonly sha256: Digest };

/** A file as the hub keeps it. */
export interface StoredFile {
  readonly content: HubContent;
  readonly size: number;
  readonly sha256: Digest;
  /** Large files and binary ones are kept by Git LFS, which has a pointer in their place. */
  readonly isLarge: boolean;
  /** Git's own name for the file, or for its pointer. */
  readonly oid: string;
  readonly xetHash: string | undefined;
}

export function sha256Of(bytes: Uint8Array | string): Digest {
  return createHash('sha256').update(bytes).digest('hex') as Digest;
}

/** Git's name for a file. */
export function gitSha1(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/** @param largeBytes - from this size on, files are kept by Git LFS */
export function storeFile(content: HubContent, largeBytes: number, hasXet: boolean): StoredFile {
  const size = Buffer.isBuffer(content) ? content.length : content.size;
  const sha256 = Buffer.isBuffer(content) ? sha256Of(content) : content.sha256;
  const isLarge = size >= largeBytes || !Buffer.isBuffer(content);
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${size}\n`;
  const oid = gitSha1(isLarge ? Buffer.from(pointer) : (content as Buffer));
  return { content, size, sha256, isLarge, oid, xetHash: isLarge && hasXet ? sha256Of(`xet ${sha256}`) : undefined };
}

/** The bytes from one offset to before another. */
export function bytesOf({ content }: StoredFile, from: number, to: number): Readable {
  if (Buffer.isBuffer(content)) return Readable.from([content.subarray(from, to)]);
  return to === from ? Readable.from([]) : createReadStream(content.path, { start: from, end: to - 1 });
}
