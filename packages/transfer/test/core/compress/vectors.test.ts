import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ChunkCodec } from '../../../src/core/compress/chunk-codec.ts';
import { nodeZstd, wasmZstd } from '../../../src/node/zstd.ts';

const file = new URL('../../../../protocol/vectors/encoded-chunks.json', import.meta.url);
const { accepted, refused } = JSON.parse(readFileSync(file, 'utf8')) as {
  accepted: { name: string; chunk: string; encoded: string }[];
  refused: { name: string; size: number; encoded: string }[];
};
const engines = [await wasmZstd(), nodeZstd()].filter((engine) => engine !== undefined);
const cases = <T>(vectors: readonly T[]) =>
  engines.flatMap((zstd) => vectors.map((vector) => ({ zstd, engine: zstd.name, ...vector })));

describe('encoded-chunks.json', () => {
  it.each(cases(accepted))('is the chunk that it says, by $engine: $name', ({ zstd, chunk, encoded }) => {
    const decoded = new ChunkCodec(zstd).decode(Buffer.from(encoded, 'hex'), chunk.length / 2);
    expect(Buffer.from(decoded ?? []).toString('hex')).toBe(chunk);
  });

  it.each(cases(refused))('is refused by $engine: $name', ({ zstd, size, encoded }) => {
    expect(new ChunkCodec(zstd).decode(Buffer.from(encoded, 'hex'), size)).toBeUndefined();
  });
});
