import { describe, expect, it } from '@jest/globals';
import type { Registry } from '@model-rtc/registry';
import { rememberedWorker } from '../../../src/commands/client/remembered.ts';

const registry = {
  seenWorkers: async () => [
    { key: 'aa'.repeat(32), name: 'lab' },
    { key: 'ab'.repeat(32), name: 'gpu' },
    { key: 'cd'.repeat(32), name: 'gpu' },
  ],
} as unknown as Registry;

describe('a worker that is remembered', () => {
  it('is found by its name, and by the start of its key', async () => {
    expect(await rememberedWorker(registry, 'lab')).toMatchObject({ name: 'lab' });
    expect(await rememberedWorker(registry, 'cdcdcd')).toMatchObject({ name: 'gpu', key: 'cd'.repeat(32) });
    expect(await rememberedWorker(registry, 'cdcd')).toBeUndefined();
    expect(await rememberedWorker(registry, 'nobody')).toBeUndefined();
  });

  it('is asked for by its key when several have the name', async () => {
    await expect(rememberedWorker(registry, 'gpu')).rejects.toMatchObject({
      code: 'ambiguous',
      message: expect.stringContaining('abababab, cdcdcdcd'),
    });
  });
});
