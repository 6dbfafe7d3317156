import { open } from 'node:fs/promises';
import { npyCode, shapeText } from './dtypes.ts';
import type { Tensor } from './types.ts';

/** Numbers begin at a multiple of this many bytes, so that they can be mapped into memory. */
const ALIGNMENT = 64;
const START = Buffer.from('\x93NUMPY\x01\x00', 'latin1');

/**
 * Writes a new file that numpy.load reads.
 * @throws what the file system throws, `EEXIST` when there is such a file
 */
export async function writeNpy(path: string, tensor: Tensor): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.write(npyHeader(tensor));
    const { buffer, byteOffset, byteLength } = tensor.data;
    await writeAll(file, new Uint8Array(buffer, byteOffset, byteLength));
  } finally {
    await file.close();
  }
}

/** With version 1 of the format: a header of 64 KiB has room for all shapes. */
export function npyHeader({ dtype, shape }: Pick<Tensor, 'dtype' | 'shape'>): Buffer {
  const text = `{'descr': '${npyCode(dtype)}', 'fortran_order': False, 'shape': ${shapeText(shape)}, }`;
  const unpadded = START.length + 2 + text.length + 1;
  const length = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT;
  const header = Buffer.alloc(length, ' ');
  START.copy(header);
  header.writeUInt16LE(length - START.length - 2, START.length);
  header.write(text, START.length + 2, 'latin1');
  header.write('\n', length - 1, 'latin1');
  return header;
}

async function writeAll(
  file: { write(bytes: Uint8Array, offset: number): Promise<{ bytesWritten: number }> },
  bytes: Uint8Array,
): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
}
