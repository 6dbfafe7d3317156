import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A GGUF file without tensors. */
export function ggufBytes(name: string): Buffer {
  const text = (value: string) => {
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(value.length));
    return Buffer.concat([size, Buffer.from(value)]);
  };
  const head = Buffer.alloc(24);
  head.write('GGUF');
  head.writeUInt32LE(3, 4);
  head.writeBigUInt64LE(2n, 16);
  const field = (key: string, value: string) => [text(key), Buffer.from([8, 0, 0, 0]), text(value)];
  return Buffer.concat([head, ...field('general.architecture', 'llama'), ...field('general.name', name)]);
}

/** Writes a blob into ollama's store, and gives the layer that names it. */
export async function writeBlob(store: string, kind: string, content: Buffer | string) {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const path = join(store, 'blobs', `sha256-${sha256}`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  const mediaType = `application/vnd.ollama.image.${kind}`;
  return { path, layer: { mediaType, digest: `sha256:${sha256}`, size: content.length } };
}

/** Writes a manifest into ollama's store; gives its path. */
export async function writeManifest(store: string, name: string, manifest: unknown): Promise<string> {
  const path = join(store, 'manifests', 'registry.ollama.ai', 'library', ...name.split(':'));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
  return path;
}
