import { describe, expect, it } from '@jest/globals';
import type { Backend } from '@model-rtc/protocol';
import { backendsOf, modelFormat } from '../../src/catalog/backends.ts';

describe('the format of a model', () => {
  it.each([
    [{ checkpointPath: 'model-00001-of-00002.safetensors', framework: 'hub' }, 'safetensors'],
    [{ checkpointPath: 'pytorch_model.bin', framework: 'hub' }, 'torch'],
    [{ checkpointPath: 'weights.safetensors', framework: 'mlx' }, 'mlx'],
    [{ checkpointPath: 'saved_model.pb', framework: 'saved-model' }, 'tensorflow'],
    [{ checkpointPath: 'best.ckpt', framework: 'toString' }, 'torch'],
    [{ checkpointPath: 'model.xyz' }, undefined],
    [{}, undefined],
  ])('of %j is %s', (entry, format) => {
    expect(modelFormat(entry)).toBe(format);
  });
});

describe('the backends of a format', () => {
  it.each<[string | undefined, Backend[], string[]]>([
    ['safetensors', ['cpu', 'cuda'], ['cpu', 'cuda']],
    ['gguf', ['metal', 'cpu'], ['cpu', 'metal']],
    ['onnx', ['cpu', 'metal'], ['cpu']],
    ['tensorrt', ['cpu'], []],
    ['constructor', ['cpu'], []],
    [undefined, ['cpu'], []],
  ])('%s on %j are %j', (format, hardware, backends) => {
    expect(backendsOf(format, new Set(hardware))).toEqual(backends);
  });
});
