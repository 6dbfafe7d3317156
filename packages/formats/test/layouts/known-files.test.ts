import { describe, expect, it } from '@jest/globals';
import { recogniseFile, recogniseFolder, toFolder } from '@model-rtc/formats/layouts';
import { sample } from '../../../../test/support/model-samples.ts';
import { nodeInflate as inflate } from '../bytes/node-inflate.ts';
import { filled, ggufText, makeGguf, makeSafetensors } from '../chunks/make-files.ts';
import { memoryFile } from './memory-files.ts';

const gguf = (name: string) =>
  makeGguf([{ name, bytes: filled(64, 1) }], { 'general.architecture': [8, ggufText('llama')] });
const adapter = makeSafetensors(
  ['a.lora_A.weight', 'a.lora_B.weight'].map((name) => ({ name, bytes: filled(16, 1) })),
  {},
);

async function factsOf(files: Record<string, string | Uint8Array>) {
  const inMemory = Object.entries(files).map(([path, content]) => memoryFile(path, content));
  return (await recogniseFolder(toFolder('memory', inMemory, { inflate }), { typeIsKnown: false })).facts;
}

describe('a file that its content tells', () => {
  it('is TorchScript under any name of torch', async () => {
    const facts = await recogniseFile(memoryFile('model.pt', sample('torchScript')), { inflate });
    expect(facts).toMatchObject({ modelType: 'torchscript', framework: 'torchscript' });
    expect(await recogniseFile(memoryFile('m.pt', sample('torchZip')), { inflate })).toMatchObject({
      modelType: 'torch',
    });
  });

  it('is an adapter by its tensors, and no adapter when it is a whole model with some in it', async () => {
    expect(await recogniseFile(memoryFile('a.safetensors', adapter), { inflate })).toMatchObject({ modelType: 'lora' });
    const merged = makeSafetensors(
      ['a.lora_A.weight', 'b', 'c', 'd'].map((name) => ({ name, bytes: filled(16, 1) })),
      {},
    );
    const facts = await recogniseFile(memoryFile('m.safetensors', merged), { inflate });
    expect(facts.modelType).toBe('safetensors');
  });

  it.each(['joblibZlib', 'joblibGzip', 'joblibObjects', 'evilProtocol2'] as const)(
    'is walked without running %s',
    async (name) => {
      expect(await recogniseFile(memoryFile('m.joblib', sample(name)), { inflate })).toMatchObject({
        checkpointPath: 'm.joblib',
      });
    },
  );
});

describe('a folder of GGUF files', () => {
  it('has the language model for its checkpoint, even where the projector is larger, and the name of its quantisation', async () => {
    const projector = makeGguf([{ name: 'v', bytes: filled(6400, 1) }], {
      'general.architecture': [8, ggufText('clip')],
    });
    const files = { 'mmproj-F16.gguf': projector, 'Mouse-7B-Q4_K_M.gguf': gguf('a') };
    expect(await factsOf(files)).toMatchObject({ checkpointPath: 'Mouse-7B-Q4_K_M.gguf', runName: 'Mouse-7B-Q4_K_M' });
  });

  it('is named by its folder when its file says nothing', async () => {
    for (const name of ['model.gguf', 'ggml-model-q4_0.gguf', 'mouse.gguf']) {
      expect((await factsOf({ [name]: gguf('a') })).runName).toBeUndefined();
    }
  });
});

describe('a repository of a hub', () => {
  it.each([
    [{ 'config.json': '{"model_type":"llama"}', 'model.onnx': 'x' }, 'onnx'],
    [
      {
        'config.json': '{"model_type":"llama"}',
        'adapter_config.json': '{"peft_type":"LORA"}',
        'adapter_model.bin': 'x',
      },
      'peft',
    ],
    [{ 'adapter_config.json': '{"fine_tune_type":"lora","model":"org/base"}', 'adapters.safetensors': adapter }, 'mlx'],
    [{ 'config.json': '{}', 'modules.json': '[]', 'model.safetensors': adapter }, 'sentence-transformers'],
    [{ 'config.json': '{"model_type":"llama"}', 'model.bin': 'x' }, 'hub'],
  ] as const)('%#: is loaded by what it holds', async (files, framework) => {
    expect((await factsOf(files)).framework).toBe(framework);
  });

  it('knows the base of an adapter of MLX', async () => {
    const files = {
      'adapter_config.json': '{"fine_tune_type":"lora","model":"org/base"}',
      'adapters.safetensors': adapter,
    };
    expect(await factsOf(files)).toMatchObject({ modelType: 'lora', lineage: { fineTunedFrom: 'org/base' } });
  });
});
