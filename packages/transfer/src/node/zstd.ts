import zlib from 'node:zlib';
import { MAX_CHUNK_BYTES } from '@model-rtc/protocol';
import { type Zstd, zstdContentBytes } from '../core/compress/zstd.ts';

/** The fastest level of zstd: on weights the slower ones give longer results. */
const LEVEL = 1;
/** How much of its output a decoder keeps, as a power of two: a chunk fits. */
const WINDOW_LOG = 22;

/** What newer versions of Node have; the types are those of the oldest one that we support. */
interface ZlibWithZstd {
  readonly zstdCompressSync?: (bytes: Uint8Array, options: object) => Buffer;
  readonly zstdDecompressSync?: (bytes: Uint8Array, options: object) => Buffer;
  readonly constants: Readonly<Record<string, number>>;
}

let loading: Promise<Zstd> | undefined;

/** Node's own zstd where there is one, else WebAssembly, which is compiled once and only when needed. */
export function loadZstd(): Promise<Zstd> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Zstd> {
  return nodeZstd() ?? (await wasmZstd());
}

/** Undefined before Node 22.15, which has no zstd. */
export function nodeZstd(): Zstd | undefined {
  const { zstdCompressSync, zstdDecompressSync, constants } = zlib as unknown as ZlibWithZstd;
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) return undefined;
  const { ZSTD_c_compressionLevel: level = 0, ZSTD_d_windowLogMax: windowLog = 0 } = constants;
  return {
    name: 'node',
    compress: (bytes) =>
      zstdCompressSync(bytes, { params: { [level]: LEVEL }, pledgedSrcSize: bytes.length, chunkSize: bytes.length }),
    decompress: (bytes, size) =>
      checked(bytes, size, () => {
        const options = { params: { [windowLog]: WINDOW_LOG }, maxOutputLength: size, chunkSize: Math.max(64, size) };
        return zstdDecompressSync(bytes, options);
      }),
  };
}

export async function wasmZstd(): Promise<Zstd> {
  const { init, compress, decompress } = await import('@bokuweb/zstd-wasm');
  await init();
  return {
    name: 'wasm',
    compress: (bytes) => compress(bytes, LEVEL),
    decompress: (bytes, size) => checked(bytes, size, () => decompress(bytes)),
  };
}

/** Checks the frame's stated length first, since the decoders allocate that much. */
function checked(bytes: Uint8Array, size: number, decompress: () => Uint8Array): Uint8Array | undefined {
  if (size > MAX_CHUNK_BYTES || zstdContentBytes(bytes) !== size) return undefined;
  try {
    const content = decompress();
    return content.length === size ? content : undefined;
  } catch {
    // Whatever the cause, the chunk is damaged and will be asked for again.
    return undefined;
  }
}
