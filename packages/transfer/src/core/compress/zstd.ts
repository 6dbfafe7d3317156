/** One implementation of zstd (RFC 8878). */
export interface Zstd {
  readonly name: 'node' | 'wasm';
  /** Returns one frame, which says how long its content is. */
  compress(bytes: Uint8Array): Uint8Array;
  /**
   * Returns the content of one frame; undefined for anything else.
   * @param size - the exact length of the content, at most the protocol's MAX_CHUNK_BYTES; it takes no more memory than that,
   * whatever the frame says
   */
  decompress(bytes: Uint8Array, size: number): Uint8Array | undefined;
}

const MAGIC = 0xfd2fb528;
/** Bytes of the content's size, by the first two bits of the descriptor; without a window, 0 means one byte. */
const SIZE_BYTES = [0, 2, 4, 8] as const;

/**
 * The length of the content as a zstd frame states it (RFC 8878, 3.1.1.1); undefined for anything else than a frame, and for
 * a frame that does not say or needs a dictionary.
 */
export function zstdContentBytes(bytes: Uint8Array): number | undefined {
  if (bytes.length < 6) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) return undefined;
  const descriptor = view.getUint8(4);
  const hasWindow = (descriptor & 0x20) === 0;
  const needsDictionary = (descriptor & 3) !== 0;
  if (needsDictionary) return undefined;
  const form = (descriptor >>> 6) as 0 | 1 | 2 | 3;
  const at = hasWindow ? 6 : 5;
  const sizeBytes = form === 0 && !hasWindow ? 1 : SIZE_BYTES[form];
  if (sizeBytes === 0 || bytes.length < at + sizeBytes) return undefined;
  if (sizeBytes === 1) return view.getUint8(at);
  if (sizeBytes === 2) return view.getUint16(at, true) + 256;
  if (sizeBytes === 4) return view.getUint32(at, true);
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}
