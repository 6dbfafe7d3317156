import { createCipheriv, createHash } from 'node:crypto';
import { type Digest, type Manifest, type ModelContents, type ModelPath, manifestDigest } from '@model-rtc/protocol';

/** A model in memory, cut into chunks. */
export interface TestModel {
  readonly manifest: Manifest;
  readonly digest: Digest;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly chunks: ReadonlyMap<Digest, Buffer>;
}

/** All that is known of it. */
export function contentsOf({ manifest, digest }: Pick<TestModel, 'manifest' | 'digest'>): ModelContents {
  return { ...manifest, digest };
}

function sha256(bytes: Uint8Array): Digest {
  return createHash('sha256').update(bytes).digest('hex') as Digest;
}

/** Bytes that look random and are the same for the same seed. */
export function seededBytes(size: number, seed: number): Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, `seed ${seed}`), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(size));
}

/** @param cut - chunk sizes, used again and again over the concatenation of all files. */
export function makeModel(files: Record<string, Buffer>, cut: readonly number[], mode?: number): TestModel {
  const whole = Buffer.concat(Object.values(files));
  const chunks = new Map<Digest, Buffer>();
  const list: Manifest['chunks'] = [];
  for (let at = 0, i = 0; at < whole.length; i++) {
    const bytes = whole.subarray(at, at + (cut[i % cut.length] as number));
    chunks.set(sha256(bytes), bytes);
    list.push({ digest: sha256(bytes), size: bytes.length });
    at += bytes.length;
  }
  const manifest: Manifest = {
    version: 1,
    files: Object.entries(files).map(([path, bytes]) => ({
      path: path as ModelPath,
      size: bytes.length,
      sha256: sha256(bytes),
      ...(mode === undefined ? {} : { mode }),
    })),
    chunker: 'test',
    chunks: list,
  };
  return { manifest, digest: manifestDigest(manifest), files: new Map(Object.entries(files)), chunks };
}

/** A model of one file. */
export function makeFileModel(size: number, cut: number, seed = 1): TestModel {
  return makeModel({ 'weights.bin': seededBytes(size, seed) }, [cut]);
}
