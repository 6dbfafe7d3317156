import { type Digest, type Manifest, ModelRtcError } from '@model-rtc/protocol';
import { openModelFiles } from './model-files.ts';
import type { ModelFiles, ModelReader, RegisteredModel } from './types.ts';

/** Reads a model's chunks from its files by their digests. Opens a file when it is first read. @param onClose - called once */
export function createModelReader(
  digest: Digest,
  { place, manifest, stats }: RegisteredModel,
  onClose: () => Promise<void> = async () => {},
): ModelReader {
  const files = openModelFiles(place, stats);
  const chunks = chunkOffsets(manifest);
  let closed: Promise<void> | undefined;

  async function readChunk(chunk: Digest, into?: Uint8Array): Promise<Uint8Array> {
    if (closed !== undefined) throw new ModelRtcError('cancelled', `The reader of model ${digest} is closed.`);
    const found = chunks.get(chunk);
    if (found === undefined) {
      throw new ModelRtcError('not_found', `Model ${digest} has no chunk ${chunk}. Ask for its manifest again.`);
    }
    return await readInto(files, found.offset, found.size, into);
  }

  async function readAt(offset: number, into: Uint8Array): Promise<void> {
    if (closed !== undefined) throw new ModelRtcError('cancelled', `The reader of model ${digest} is closed.`);
    await files.read(offset, into);
  }

  const closeAll = async (): Promise<void> => {
    try {
      await files[Symbol.asyncDispose]();
    } finally {
      await onClose();
    }
  };
  const close = (): Promise<void> => {
    closed ??= closeAll();
    return closed;
  };
  return { digest, manifest, readChunk, readAt, close, [Symbol.asyncDispose]: close };
}

/** Reads into the start of `into` when it has room, otherwise into memory of its own. */
export async function readInto(
  files: ModelFiles,
  offset: number,
  size: number,
  into: Uint8Array | undefined,
): Promise<Uint8Array> {
  // Not from Node's shared pool: the bytes may be handed to another thread, with their whole buffer.
  const bytes = into !== undefined && into.length >= size ? into.subarray(0, size) : Buffer.allocUnsafeSlow(size);
  await files.read(offset, bytes);
  return bytes;
}

function chunkOffsets({ chunks }: Manifest): Map<Digest, { readonly offset: number; readonly size: number }> {
  const offsets = new Map<Digest, { offset: number; size: number }>();
  let offset = 0;
  for (const { digest, size } of chunks) {
    if (!offsets.has(digest)) offsets.set(digest, { offset, size });
    offset += size;
  }
  return offsets;
}
