import { describe, expect, it } from '@jest/globals';
import { type LayoutMatch, recogniseFile, recogniseFolder, toFolder } from '@model-rtc/formats/layouts';
import { sample } from '../../../../test/support/model-samples.ts';
import { nodeInflate as inflate } from '../bytes/node-inflate.ts';
import { memoryFile } from './memory-files.ts';

async function recognise(files: Record<string, string | Uint8Array>, typeIsKnown = false): Promise<LayoutMatch> {
  const inMemory = Object.entries(files).map(([path, content]) => memoryFile(path, content));
  return await recogniseFolder(toFolder('memory', inMemory, { inflate }), { typeIsKnown });
}

describe('recogniseFolder', () => {
  it("reads a hub's repository that is on no disk, and leaves out what its trainer resumes from", async () => {
    const { facts, leaveOut } = await recognise({
      'README.md': '---\nlicense: mit\nbase_model: org/base\n---\n',
      'config.json': '{"model_type":"Llama","architectures":["LlamaForCausalLM"],"hidden_size":64}',
      'model.ckpt': sample('torchZip'),
      'checkpoint-10/model.ckpt': sample('torchZip'),
    });
    expect(facts).toMatchObject({
      modelType: 'llama',
      framework: 'hub',
      backbone: 'LlamaForCausalLM',
      license: 'mit',
      lineage: { fineTunedFrom: 'org/base' },
      hyperparameters: { hidden_size: 64 },
      metrics: { checkpoint_epoch: 7 },
      checkpointPath: 'model.ckpt',
    });
    expect(leaveOut?.('model.ckpt')).toBeUndefined();
    expect(leaveOut?.('checkpoint-10/model.ckpt')).toBe('a checkpoint to resume training from');
  });

  it("goes by a tool's own configuration before a hub's", async () => {
    const { facts } = await recognise({
      'config.json': '{"model_type":"x"}',
      'training_config.yaml': 'model_config: {head_configs: {centroid: {a: 1}}}',
      'best.ckpt': sample('torchZip'),
    });
    expect(facts).toMatchObject({ modelType: 'centroid', framework: 'sleap-nn', configPath: 'training_config.yaml' });
  });

  it('says where a broken configuration is, and takes the files as they are when the type is known', async () => {
    const files = { 'config.json': '{', 'model.ckpt': 'x' };
    await expect(recognise(files)).rejects.toMatchObject({
      code: 'invalid_model',
      message: expect.stringContaining('memory:config.json'),
    });
    expect((await recognise(files, true)).facts.framework).toBe('file');
  });

  it('refuses a folder whose only weights are no part of the model', async () => {
    const files = { 'config.json': '{}', 'checkpoint-3/model.bin': 'x' };
    await expect(recognise(files)).rejects.toMatchObject({ code: 'bad_argument' });
  });
});

describe('recogniseFile', () => {
  it('takes a file by its name or its content, and refuses any other', async () => {
    expect(await recogniseFile(memoryFile('m.onnx', 'x'), { inflate })).toMatchObject({ modelType: 'onnx' });
    await expect(recogniseFile(memoryFile('notes.txt', 'x'), { inflate })).rejects.toMatchObject({
      code: 'bad_argument',
    });
  });
});
