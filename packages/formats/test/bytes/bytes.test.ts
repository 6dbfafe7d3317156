import { posix } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { includesAscii, sameBytes } from '../../src/bytes/byte-readers.ts';
import { latin1Bytes, latin1Text } from '../../src/bytes/latin1.ts';
import { baseName, extensionOf } from '../../src/file-names.ts';

describe('sameBytes', () => {
  it('says what a comparison byte by byte says, wherever the bytes lie in memory', () => {
    const bytes = fc.uint8Array({ minLength: 40, maxLength: 80 });
    fc.assert(
      fc.property(bytes, fc.nat(9), fc.nat(9), fc.option(fc.nat(39)), (content, before, beforeOther, changed) => {
        const at = (start: number) => {
          const memory = new Uint8Array(start + content.length);
          memory.set(content, start);
          return memory.subarray(start);
        };
        const [a, b] = [at(before), at(beforeOther)];
        if (changed !== null) b[changed] = (b[changed] as number) ^ 1;
        expect(sameBytes(a, b)).toBe(changed === null);
      }),
    );
  });

  it('tells bytes from their beginning', () => {
    expect(sameBytes(new Uint8Array(16), new Uint8Array(8))).toBe(false);
  });
});

describe('includesAscii', () => {
  it('finds a text where Node does', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'm'), minLength: 1, maxLength: 5 });
    const content = fc.string({ unit: fc.constantFrom('a', 'b', 'm', 'x'), maxLength: 200 });
    fc.assert(
      fc.property(content, text, (all, part) => {
        expect(includesAscii(Buffer.from(all), part)).toBe(all.includes(part));
      }),
    );
  });
});

describe('latin1Text', () => {
  it('gives one character for each byte, and latin1Bytes the bytes again', () => {
    const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => i % 256);
    const text = latin1Text(bytes);
    expect(text).toBe(Buffer.from(bytes).toString('latin1'));
    expect(latin1Bytes(text)).toEqual(bytes);
  });
});

describe('the names of files', () => {
  const path = fc.string({ unit: fc.constantFrom('a', 'B', '.', '/', 'ä') }).filter((text) => !text.endsWith('/'));

  it('have the extensions that Node sees', () => {
    fc.assert(
      fc.property(path, (text) => {
        fc.pre(!/(^|\/)\.\.+[^/]*$/.test(text));
        expect(extensionOf(text)).toBe(posix.extname(text).toLowerCase());
        expect(baseName(text)).toBe(posix.basename(text));
      }),
    );
  });
});
