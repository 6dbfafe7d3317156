import { includesAscii, startsWith } from '../bytes/byte-readers.ts';
import type { ByteReader } from '../types.ts';
import { type Findings, ONLY_DATA } from './findings.ts';
import type { ScanJob } from './scan-job.ts';

const HDF5_MAGIC = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const BLOCK_BYTES = 4 * 1024 * 1024;
/** Blocks overlap, so that a layer's description is found where two of them meet. */
const OVERLAP_BYTES = 256;
/** How Keras 2 and 3 mark a layer that is Python byte code, which runs when the model is loaded or used. */
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
 * A Keras model in HDF5. Its configuration is a JSON text in an attribute, which HDF5 never compresses, so a search
 * through the bytes finds it anywhere.
 */
export async function scanHdf5(job: ScanJob, reader: ByteReader): Promise<Findings> {
  const { signal, budget, includesText = includesAscii } = job;
  for (let offset = 0; offset < reader.size; offset += BLOCK_BYTES) {
    signal?.throwIfAborted();
    budget.checkTime();
    const block = await reader.read(offset, Math.min(BLOCK_BYTES + OVERLAP_BYTES, reader.size - offset));
    if (!includesText(block, 'ambda')) continue;
    // One character for each byte; which one does not matter, since the search is for ASCII.
    const text = new TextDecoder('latin1').decode(block);
    const found = LAMBDA_WORD.test(text) ? scanKerasConfig(text) : ONLY_DATA;
    if (found.isCode) return found;
  }
  return ONLY_DATA;
}
