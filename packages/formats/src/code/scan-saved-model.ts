import { includesAscii } from '../bytes/byte-readers.ts';
import { baseName } from '../file-names.ts';
import type { ByteReader } from '../types.ts';
import { type Findings, ONLY_DATA } from './findings.ts';
import type { ScanJob } from './scan-job.ts';

const BLOCK_BYTES = 4 * 1024 * 1024;
const OVERLAP_BYTES = 64;
/**
 * Operations that reach what lies outside of the model: they read and write any file of whoever uses it, or run Python.
 * Source: TensorFlow SECURITY.md ("models are programs") and tensorflow/core/framework/node_def.proto (the name of an operation is field 2)
 */
const OPERATIONS = ['WriteFile', 'ReadFile', 'PyFunc', 'EagerPyFunc'];
const FIELD = 0x12;

/** Whether a file is the graph of a SavedModel, by the name that TensorFlow looks for. */
export function isSavedModelName(path: string): boolean {
  return baseName(path) === 'saved_model.pb';
}

/** Searches a graph for operations that reach files or run Python. All others only compute. */
export async function scanSavedModel(job: ScanJob, reader: ByteReader): Promise<Findings> {
  const { signal, budget, includesText = includesAscii } = job;
  const found = new Set<string>();
  for (let offset = 0; offset < reader.size; offset += BLOCK_BYTES) {
    signal?.throwIfAborted();
    budget.checkTime();
    const block = await reader.read(offset, Math.min(BLOCK_BYTES + OVERLAP_BYTES, reader.size - offset));
    for (const name of OPERATIONS) {
      if (includesText(block, `${String.fromCharCode(FIELD, name.length)}${name}`)) found.add(`tensorflow.${name}`);
    }
  }
  return found.size === 0 ? ONLY_DATA : { isCode: true, suspicious: [...found].sort() };
}
