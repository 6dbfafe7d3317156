import { describe, expect, it } from '@jest/globals';
import { parseSettings } from '../../src/onnx/settings.ts';

const DEFAULTS = { layout: 'auto', color: 'auto', divide: '255', mean: '0', std: '1', format: 'npy' };

describe('settings of the onnx program', () => {
  it('are read from texts', () => {
    expect(parseSettings({ ...DEFAULTS, width: '640', batch: '8', mean: '0.485,0.456,0.406', std: '-1' })).toEqual({
      ...{ layout: 'auto', width: 640, height: undefined, color: 'auto', divide: 255, mean: [0.485, 0.456, 0.406] },
      ...{ std: [-1], batch: 8, format: 'npy', threads: undefined },
    });
  });

  it.each([
    { batch: '0' },
    { batch: '1.5' },
    { width: '-1' },
    { threads: '1000000' },
    { std: '0' },
    { divide: '0' },
    { divide: '1,2' },
    { mean: 'a' },
    { mean: '' },
    { mean: '1,2,3,4,5' },
    { layout: 'chw' },
    { format: 'constructor' },
  ])('that mean nothing are refused: %j', (given) => {
    expect(() => parseSettings({ ...DEFAULTS, ...given })).toThrow(/^--[a-z]+ takes .*, not ".*"\.$/);
  });
});
