import type { ByteReader } from '@model-rtc/formats';
import { startsWith } from './byte-readers.ts';
import { type Findings, ONLY_DATA } from './findings.ts';

const HDF5_MAGIC = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const BLOCK_BYTES = 4 * 1024 * 1024;
/** A layer's note is found where two blocks meet, too. */
const OVERLAP_BYTES = 256;
/** How Keras 2 and 3 write that a layer is Python's byte code, which is run when the model is loaded or used. */
const LAMBDA_LAYER = /"class_name"\s*:\s*"(?:Lambda|TFOpLambda|__lambda__)"/;
const LAMBDA_WORD = /Lambda"|__lambda__"/;

export function isHdf5(head: Uint8Array): boolean {
  return startsWith(head, HDF5_MAGIC);
}

/** The findings of a Keras configuration, such as the `config.json` of a .keras archive. */
export function scanKerasConfig(text: string): Findings {
  return LAMBDA_LAYER.test(text) ? { isCode: true, suspicious: ['keras.layers.Lambda'] } : ONLY_DATA;
}

/**
 * A Keras model in HDF5. Its configuration is a JSON text in an attribute, which HDF5 never compresses, so that a look
 * through the bytes finds it wherever it is.
 */
export async function scanHdf5(reader: ByteReader, signal: AbortSignal | undefined): Promise<Findings> {
  for (let offset = 0; offset < reader.size; offset += BLOCK_BYTES) {
    signal?.throwIfAborted();
    const bytes = await reader.read(offset, Math.min(BLOCK_BYTES + OVERLAP_BYTES, reader.size - offset));
    const block = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (block.indexOf('ambda') === -1) continue;
    const text = block.toString('latin1');
    const found = LAMBDA_WORD.test(text) ? scanKerasConfig(text) : ONLY_DATA;
    if (found.isCode) return found;
  }
  return ONLY_DATA;
}
