import { StructureError } from './bytes/structure-error.ts';
import { gguf } from './gguf/gguf.ts';
import { safetensors } from './safetensors/safetensors.ts';
import { torchLegacy, torchZip } from './torch/torch-formats.ts';
import type { ByteReader, FileFormat, FileTensor, MetadataValues, ReadOptions } from './types.ts';

/**
 * Every format of model files that is read here. The first one that a file is of answers, so one that can tell by few
 * bytes comes before one that must read more. The order counts for chunk boundaries too, see `planChunks`.
 */
const FORMATS: readonly FileFormat[] = [gguf, torchZip, safetensors, torchLegacy];

/** The answer of the format that a file is of; undefined for a file of none, and for a broken one. */
export async function askFormats<T>(
  ask: (format: FileFormat) => Promise<T | undefined> | undefined,
): Promise<T | undefined> {
  try {
    for (const format of FORMATS) {
      const answer = await ask(format);
      if (answer !== undefined) return answer;
    }
  } catch (error) {
    if (!(error instanceof StructureError)) throw error;
  }
  return undefined;
}

/** What a weights file says of itself in its header. */
export interface FileMetadata {
  /** The format's name, such as `gguf`. */
  readonly format: string;
  readonly values: MetadataValues;
}

/**
 * The metadata of a safetensors file (`__metadata__`) or of a GGUF file (its scalars and shorter texts); undefined for
 * any other file and for a broken one.
 * @throws only what the reader throws.
 */
export async function readFileMetadata(reader: ByteReader): Promise<FileMetadata | undefined> {
  return await askFormats(async ({ name, metadata }) => {
    const values = await metadata?.(reader);
    return values && { format: name, values };
  });
}

/**
 * The tensors of a safetensors, GGUF or torch file; none for any other file, and for a broken one.
 * @throws what the reader and the signal throw.
 */
export async function listTensors(reader: ByteReader, options: ReadOptions): Promise<FileTensor[]> {
  return (await askFormats((format) => format.tensors?.(reader, options))) ?? [];
}
