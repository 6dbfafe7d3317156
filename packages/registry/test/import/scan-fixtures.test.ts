import { describe, expect, it } from '@jest/globals';
import { modelEntrySchema } from '@model-rtc/protocol';
import { scanModel } from '../../src/import/scan-model.ts';
import { FIXTURES } from './fixtures.ts';

const scan = async (name: string) => await scanModel(`${FIXTURES}${name}`);

describe('scanModel on real models', () => {
  it('reads a sleap-nn run and leaves its logs and temporary files out', async () => {
    const { files, facts, skipped, suggestedAlias } = await scan('good-mouse-v1');
    expect(files.map(({ path }) => path)).toEqual([
      'best.ckpt',
      'initial_config.yaml',
      'last.ckpt',
      'training_config.yaml',
      'training_log.csv',
    ]);
    expect(skipped.map(({ path }) => path)).toEqual(['logs', 'tmp']);
    expect(suggestedAlias).toBe('good-mouse-v1');
    expect(facts).toMatchObject({
      modelType: 'centered_instance',
      framework: 'sleap-nn',
      backbone: 'unet',
      status: 'completed',
      checkpointPath: 'best.ckpt',
      configPath: 'training_config.yaml',
      runName: 'good-mouse-v1',
      versions: { sleap_nn_version: '0.0.3' },
      metrics: {
        best_val_loss: 0.003535,
        best_epoch: 41,
        last_epoch: 41,
        final_train_loss: 0.003331,
        final_val_loss: 0.003535,
      },
      hyperparameters: {
        learning_rate: 0.001,
        batch_size: 4,
        max_epochs: 42,
        optimizer: 'Adam',
        input_scale: 1,
        unet_filters: 16,
        unet_max_stride: 16,
        confmaps_sigma: 2.5,
      },
    });
  });

  it('reads a SLEAP 1.x run', async () => {
    const { files, facts } = await scan('legacy-rat-2023');
    expect(files.map(({ path }) => path)).toEqual(['best_model.h5', 'training_config.json']);
    expect(facts).toMatchObject({
      modelType: 'multi_instance',
      framework: 'sleap',
      backbone: 'unet',
      checkpointPath: 'best_model.h5',
      versions: { sleap_version: '1.2.9' },
      hyperparameters: { learning_rate: 0.0001, max_epochs: 200, unet_filters: 24, pafs_sigma: 15 },
    });
  });

  it('reads a hub repository with its license, and what a fine-tune was made from', async () => {
    const { files, facts } = await scan('tiny-llama-tuned');
    expect(files).toHaveLength(8);
    expect(facts).toMatchObject({
      modelType: 'qwen2',
      framework: 'hub',
      backbone: 'Qwen2ForCausalLM',
      license: 'apache-2.0',
      lineage: { fineTunedFrom: 'tiny-llama' },
      checkpointPath: 'model-00001-of-00002.safetensors',
      configPath: 'config.json',
      versions: { transformers_version: '4.44.0' },
      hyperparameters: { hidden_size: 128, torch_dtype: 'bfloat16' },
    });
    expect((await scan('tiny-llama')).facts.lineage).toBeUndefined();
  });

  it('takes the architecture of a GGUF file for its type, in a folder and by itself', async () => {
    for (const path of ['tiny-gguf', 'tiny-gguf/tiny-F16.gguf']) {
      const { files, facts } = await scan(path);
      expect(files.map((file) => file.path)).toEqual(['tiny-F16.gguf']);
      expect(facts).toMatchObject({ modelType: 'llama', framework: 'file', hyperparameters: { context_length: 2048 } });
    }
  });

  it('keeps the example input and output of an ONNX model', async () => {
    const { files, facts } = await scan('tiny-onnx');
    expect(files.map(({ path }) => path)).toEqual(['config.json', 'expected.npy', 'input.npy', 'model.onnx']);
    expect(facts.modelType).toBe('mlp');
  });

  it('refuses a folder of several runs and names them', async () => {
    await expect(scan('')).rejects.toMatchObject({
      code: 'bad_argument',
      message: expect.stringContaining('"good-mouse-v1", "good-mouse-v2", "legacy-rat-2023"'),
    });
  });

  it('gives only what an entry of the registry can hold', async () => {
    for (const name of ['good-mouse-v2', 'legacy-rat-2023', 'tiny-llama-tuned', 'tiny-gguf', 'tiny-onnx']) {
      const { facts } = await scan(name);
      const entry = { ...facts, id: '00000000', source: 'local-import', size: 0, fileCount: 0 };
      expect(modelEntrySchema.safeParse(entry).error).toBeUndefined();
    }
  });
});
