import { describe, expect, it } from '@jest/globals';
import { importsOf } from './source-imports.ts';

describe('importsOf', () => {
  it('finds static imports, type imports and re-exports', () => {
    const source = `
      import a from 'a';
      import type { B } from 'b';
      import 'c';
      export { d } from 'd';
      export * from 'e';
      export const own = 1;`;
    expect(importsOf(source)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('finds dynamic imports and import types wherever they stand', () => {
    const source = `
      export type T = import('a').T;
      export async function f(): Promise<unknown> {
        return (await import('b')).default;
      }`;
    expect(importsOf(source)).toEqual(['a', 'b']);
  });

  it('takes no string or comment for an import', () => {
    expect(importsOf(`// import a from 'a'\nexport const text = "import b from 'b'";`)).toEqual([]);
  });
});
