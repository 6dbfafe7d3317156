import type { ByteReader } from './byte-reader.ts';
import { readGgufHeader } from './gguf.ts';
import { readSafetensorsHeader } from './safetensors.ts';
import { StructureError } from './structure-error.ts';

/** What a weights file says of itself in its header. */
export interface FileMetadata {
  readonly format: 'safetensors' | 'gguf';
  readonly values: ReadonlyMap<string, string | number | boolean>;
}

/**
 * The metadata of a safetensors file (`__metadata__`) or of a GGUF file (its scalars and shorter texts); undefined for
 * any other file and for a broken one.
 * @throws only what the reader throws.
 */
export async function readFileMetadata(reader: ByteReader): Promise<FileMetadata | undefined> {
  try {
    const gguf = await readGgufHeader(reader);
    if (gguf !== undefined) return { format: 'gguf', values: gguf.metadata };
    const safetensors = await readSafetensorsHeader(reader);
    if (safetensors === undefined) return undefined;
    return { format: 'safetensors', values: new Map(Object.entries(safetensors.metadata)) };
  } catch (error) {
    if (error instanceof StructureError) return undefined;
    throw error;
  }
}
