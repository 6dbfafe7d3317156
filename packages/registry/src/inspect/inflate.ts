import { promisify } from 'node:util';
import { constants, gunzip, inflate, inflateRaw } from 'node:zlib';
import type { ByteReader } from '@model-rtc/formats';

/** Pickles are small beside the tensors that they name; what is larger is not looked into. */
const MAX_INFLATED_BYTES = 32 * 1024 * 1024;
/** Its content is at most a thousand times as long. */
const HEAD_BYTES = 16 * 1024;

export type Compression = 'gzip' | 'zlib' | 'raw';

const INFLATE = { gzip: promisify(gunzip), zlib: promisify(inflate), raw: promisify(inflateRaw) } as const;

/** The whole content; undefined when it is damaged, or longer than what is looked into. */
export async function inflateAll(reader: ByteReader, compression: Compression): Promise<Uint8Array | undefined> {
  if (reader.size > MAX_INFLATED_BYTES) return undefined;
  return await inflated(await reader.read(0, reader.size), compression, { maxOutputLength: MAX_INFLATED_BYTES });
}

/** The beginning of the content, as far as the first bytes tell it; undefined when they are damaged. */
export async function inflateHead(reader: ByteReader, compression: Compression): Promise<Uint8Array | undefined> {
  const bytes = await reader.read(0, Math.min(HEAD_BYTES, reader.size));
  // The flag takes an end in the middle of the content for no error.
  return await inflated(bytes, compression, {
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: MAX_INFLATED_BYTES,
  });
}

async function inflated(
  bytes: Uint8Array,
  compression: Compression,
  options: { maxOutputLength: number; finishFlush?: number },
): Promise<Uint8Array | undefined> {
  try {
    return await INFLATE[compression](bytes, options);
  } catch {
    // Damaged, or a bomb: the caller says that it cannot be read.
    return undefined;
  }
}
