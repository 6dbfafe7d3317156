import { expect, it } from '@jest/globals';
import { findIncomplete } from '../../src/inspect/find-incomplete.ts';
import type { ModelReading } from '../../src/inspect/types.ts';

it('has the files of a model looked at where all reading into model files is done, and cancelled there', async () => {
  const asked: unknown[] = [];
  const flaw = { kind: 'empty', path: 'w.gguf', problem: 'is empty: it has 0 bytes' } as const;
  const reading = {
    run: async (...request: unknown[]) => {
      asked.push(request);
      return [flaw];
    },
  } as unknown as ModelReading;
  const { signal } = new AbortController();
  const files = [{ path: 'w.gguf' as never, absolutePath: '/nowhere/w.gguf', size: 0, mode: 0, mtimeNs: 0n }];
  expect(await findIncomplete(reading, files, signal)).toEqual([flaw]);
  expect(asked).toEqual([['findFlaws', files, { signal }]]);
});
