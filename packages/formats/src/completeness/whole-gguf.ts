import { EndsEarlyError, StructureError } from '../bytes/structure-error.ts';
import { type GgufHeader, readGgufHeader } from '../gguf/gguf.ts';
import { ggufBytes } from '../gguf/gguf-types.ts';
import { MAX_GGUF_HEADER_BYTES } from '../limits.ts';
import { byExtension } from './by-extension.ts';
import { cutOff, sizeFlaw } from './sizes.ts';
import type { FileCheck, FoundFlaw } from './types.ts';

/** The header lists each tensor's type, shape and place, and so where the last one ends. */
export const wholeGguf: FileCheck = {
  matches: byExtension('.gguf'),
  async check(reader) {
    try {
      const header = await readGgufHeader(reader);
      if (header !== undefined) return sizeOf(header, reader.size);
    } catch (error) {
      if (!(error instanceof EndsEarlyError)) throw error;
      return reader.size > MAX_GGUF_HEADER_BYTES ? undefined : cutOff(reader.size, 'its header alone takes more');
    }
    const head = await reader.read(0, Math.min(4, reader.size));
    if ('GGUF'.startsWith(new TextDecoder('latin1').decode(head))) return cutOff(reader.size, 'its header takes more');
    // The oldest files of this name have other first bytes, and no list of their tensors.
    if (OLD_MAGICS.has(new TextDecoder('latin1').decode(head))) return undefined;
    throw new StructureError('it has no header of GGUF');
  },
};

/** GGML, GGMF and GGJT, and big-endian GGUF, which is not read. */
const OLD_MAGICS = new Set(['lmgg', 'fmgg', 'tjgg', 'FUGG']);

function sizeOf({ tensors, dataStart, alignment }: GgufHeader, size: number): FoundFlaw | undefined {
  if (tensors.length === 0) return size > dataStart ? sizeFlaw(size, dataStart) : undefined;
  const last = tensors.reduce((a, b) => (b.start > a.start ? b : a));
  const bytes = ggufBytes(
    last.type,
    last.shape.reduce((count, side) => count * side, 1),
  );
  // Of a type that is not known here, the end of the last tensor is not known either.
  if (bytes === undefined)
    return size <= last.start ? cutOff(size, 'its last tensor starts behind the end') : undefined;
  const end = last.start + bytes;
  if (!Number.isSafeInteger(end)) throw new StructureError('a tensor is larger than any file');
  // Writers fill the last tensor up to the alignment, or do not.
  const padded = dataStart + Math.ceil((end - dataStart) / alignment) * alignment;
  return size >= end && size <= padded ? undefined : sizeFlaw(size, padded);
}
