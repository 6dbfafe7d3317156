import type { ByteReader, Compression, Inflate } from '../types.ts';
import { readHead } from './byte-readers.ts';

/** Pickles are small beside the tensors that they name; what is larger is not looked into. */
const MAX_INFLATED_BYTES = 32 * 1024 * 1024;
/** The content of this many bytes is at most a thousand times as long. */
const HEAD_BYTES = 16 * 1024;

/** The whole content; undefined when it is damaged, or longer than what is looked into. */
export async function inflateAll(
  reader: ByteReader,
  compression: Compression,
  inflate: Inflate,
): Promise<Uint8Array | undefined> {
  if (reader.size > MAX_INFLATED_BYTES) return undefined;
  const bytes = await reader.read(0, reader.size);
  return await inflate(bytes, compression, { maxBytes: MAX_INFLATED_BYTES, isPart: false });
}

/** The beginning of the content, as far as the first bytes tell it; undefined when they are damaged. */
export async function inflateHead(
  reader: ByteReader,
  compression: Compression,
  inflate: Inflate,
): Promise<Uint8Array | undefined> {
  const bytes = await readHead(reader, HEAD_BYTES);
  return await inflate(bytes, compression, { maxBytes: MAX_INFLATED_BYTES, isPart: true });
}
