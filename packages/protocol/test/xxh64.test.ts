import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import xxhash from 'xxhash-wasm';
import { xxh64 } from '../src/xxh64.ts';

it('gives what WebAssembly gives, for every length', async () => {
  const { h64Raw } = await xxhash();
  const long = Uint8Array.from({ length: 200 }, (_, i) => (i * 151) & 0xff);
  for (let length = 0; length <= long.length; length++) {
    expect(xxh64(long.subarray(0, length))).toBe(h64Raw(long.subarray(0, length)));
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => expect(xxh64(bytes)).toBe(h64Raw(bytes))));
});
