import type { ByteReader } from './byte-reader.ts';
import { cutParts, type Part, plainCuts } from './cut-parts.ts';
import { ggufParts } from './gguf.ts';
import { safetensorsParts } from './safetensors.ts';
import { StructureError } from './structure-error.ts';
import { torchZipParts } from './torch-zip.ts';

/** The name of these rules in a manifest. It changes whenever the same file would be cut differently. */
export const CHUNKER = 'structure-1';

type Format = (reader: ByteReader) => Promise<Part[] | undefined>;

/** A format tells by a file's first bytes whether the file is one of its own; no file is one of two. */
const FORMATS: readonly Format[] = [ggufParts, torchZipParts, safetensorsParts];

/**
 * The sizes of a file's chunks, in order; none for an empty file. Each is 1 byte to 1 MiB. Safetensors, GGUF and torch
 * files are cut on their tensors' boundaries; any other file, and one with a broken or oversized structure, every
 * 1 MiB.
 * @param _path reserved for hints: the formats are told by content, so that a wrong name costs nothing.
 * @throws only what the reader throws.
 */
export async function planChunks(reader: ByteReader, _path: string): Promise<number[]> {
  for (const format of FORMATS) {
    try {
      const parts = await format(reader);
      if (parts !== undefined) return cutParts(reader.size, parts);
    } catch (error) {
      if (!(error instanceof StructureError)) throw error;
      return plainCuts(reader.size);
    }
  }
  return plainCuts(reader.size);
}
