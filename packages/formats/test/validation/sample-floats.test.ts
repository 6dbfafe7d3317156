import { describe, expect, it } from '@jest/globals';
import { sampleFloats } from '@model-rtc/formats/validation';
import { arrayReader } from '../bytes/readers.ts';

const BYTES = 9 * 1024 * 1024;

/** Numbers of 32 bits; one is NaN. */
function withNan(at: number) {
  const values = new Float32Array(BYTES / 4);
  values[at] = Number.NaN;
  return arrayReader(new Uint8Array(values.buffer));
}

const SPANS = [
  { name: 'a', dtype: 'F32', start: 0, bytes: BYTES - 16 },
  { name: 'words', dtype: 'I32', start: BYTES - 16, bytes: 16 },
];

describe('looking at the numbers of a file', () => {
  it('reads the beginning, the middle and the end of a tensor, and little of it', async () => {
    for (const at of [0, 1000, BYTES / 8, BYTES / 4 - 5]) {
      const { badTensors, bytes } = await sampleFloats(withNan(at), SPANS);
      expect({ badTensors, bytes }).toEqual({ badTensors: 1, bytes: 3 * 64 * 1024 });
    }
    expect((await sampleFloats(withNan(BYTES / 16), SPANS)).badTensors).toBe(0);
  });

  it('reads all of them where that is asked for', async () => {
    const found = await sampleFloats(withNan(BYTES / 16), SPANS, { all: true });
    expect(found).toEqual({
      tensors: 1,
      bytes: BYTES - 16,
      badTensors: 1,
      bad: [{ name: 'a', nans: 1, infinities: 0 }],
    });
  });

  it('ends when it is told to', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(sampleFloats(withNan(0), SPANS, { all: true, signal })).rejects.toThrow('enough');
  });
});
