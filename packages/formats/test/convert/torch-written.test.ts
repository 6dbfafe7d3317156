import { describe, expect, it } from '@jest/globals';
import { readTensors } from '../../../../test/support/safetensors-reader.ts';
import { expectedTensors, type TorchSample, torchSample } from '../../../../test/support/torch-samples.ts';
import { convertBytes } from './read-converted.ts';

describe('a file that torch wrote', () => {
  it.each<TorchSample>(['zip', 'legacy', 'wrapped', 'protocol4'])(
    'becomes a safetensors file with the same tensors, bit by bit (%s)',
    async (name) => {
      const converted = await convertBytes(torchSample(name));
      const { metadata, tensors } = readTensors(converted?.file ?? Buffer.alloc(0));
      expect(tensors).toEqual(expectedTensors());
      expect(metadata).toEqual({ format: 'pt' });
    },
  );

  it('has the tensors in the order of the safetensors library, aligned to 8 bytes', async () => {
    const { file } = (await convertBytes(torchSample('zip'))) ?? { file: Buffer.alloc(0) };
    const header = file.subarray(8, 8 + Number(file.readBigUInt64LE(0))).toString('utf8');
    const names = Object.keys(JSON.parse(header));
    expect(names.slice(0, 5)).toEqual(['__metadata__', 'i64', 'f64', 'complex', 'column']);
    expect(names.slice(-3)).toEqual(['i8', 'u8', 'bool']);
    expect(Number(file.readBigUInt64LE(0)) % 8).toBe(0);
    expect(
      header.startsWith('{"__metadata__":{"format":"pt"},"i64":{"dtype":"I64","shape":[2,2],"data_offsets":[0,32]}'),
    ).toBe(true);
  });

  it('keeps one of two names that its loader gives the same values, and both where it does not', async () => {
    const tied = await convertBytes(torchSample('zip'), { tiesWeights: true });
    const { metadata, tensors } = readTensors(tied?.file ?? Buffer.alloc(0));
    expect(metadata).toEqual({ format: 'pt', 'lm_head.weight': 'embed.weight' });
    expect(tensors).not.toHaveProperty(['lm_head.weight']);
    expect(tied?.dropped).toEqual(['lm_head.weight']);
    expect(tied?.warnings).toEqual([
      'lm_head.weight has the values of embed.weight, so it is left out; whatever loads the model gives it these values.',
    ]);
    const apart = await convertBytes(torchSample('zip'));
    expect(apart?.warnings).toEqual([
      'lm_head.weight and embed.weight share their values in the original, and each has them here.',
    ]);
  });

  it('says what it leaves out beside the state dict', async () => {
    const converted = await convertBytes(torchSample('wrapped'));
    expect(converted?.warnings[0]).toBe('"epoch", "optimizer" of the original is no tensor and left out.');
  });

  it.each<[TorchSample, string]>([
    ['module', 'it holds what torch.nn.modules.linear.Linear makes, and no state dict'],
    ['jit', 'it is a program of torch.jit or torch.export'],
    ['sparse', 'its "w" is what torch._utils._rebuild_sparse_tensor makes, and no tensor that is known here'],
    ['quantized', 'its "w" is what torch._utils._rebuild_qtensor makes, and no tensor that is known here'],
    ['c128', 'its "w" is of the type C128, which safetensors lacks'],
    ['optimizer', 'none of what it holds is known as a state dict: "state", "param_groups"'],
  ])('is refused when it holds anything else (%s)', async (name, problem) => {
    await expect(convertBytes(torchSample(name))).rejects.toThrow(problem);
  });

  it('is left as it is when it holds no tensors', async () => {
    expect(await convertBytes(torchSample('arguments'))).toBeUndefined();
  });
});
