export type { ByteReader } from './chunking/byte-reader.ts';
export { plainCuts } from './chunking/cut-parts.ts';
export { type FileMetadata, readFileMetadata } from './chunking/file-metadata.ts';
export { type GgufTensor, readGgufHeader } from './chunking/gguf.ts';
export { CHUNKER, planChunks } from './chunking/plan-chunks.ts';
export { readSafetensorsHeader, type SafetensorsTensor } from './chunking/safetensors.ts';
export { StructureError } from './chunking/structure-error.ts';
export { entryDataStart, readZipDirectory, type ZipEntry } from './chunking/zip-directory.ts';
