import { describe, expect, it } from '@jest/globals';
import { findComponents, findFlaws } from '@model-rtc/formats/layouts';
import type { ModelComponents } from '@model-rtc/protocol';
import { nodeInflate as inflate } from '../bytes/node-inflate.ts';
import { makeSafetensors } from '../chunks/make-files.ts';
import { file } from './make-models.ts';

const WEIGHTS = makeSafetensors([{ name: 'w', bytes: new Uint8Array(64) }]);
const CONFIG = JSON.stringify({ model_type: 'llama', vocab_size: 100 });
const WHOLE = { 'config.json': CONFIG, 'model.safetensors': WEIGHTS, 'tokenizer.json': '{}' };

async function componentsOf(
  contents: Readonly<Record<string, string | Uint8Array>>,
): Promise<ModelComponents | undefined> {
  const files = Object.entries(contents).map(([path, content]) => file(path, content));
  return await findComponents(files, await findFlaws(files, { inflate }));
}

describe('the parts of a model of transformers', () => {
  it('are there', async () => {
    expect(await componentsOf(WHOLE)).toEqual({ weights: 'present', config: 'present', tokenizer: 'present' });
  });

  it.each<[string, Readonly<Record<string, string | Uint8Array>>, ModelComponents]>([
    ['weights were never downloaded', { 'model.safetensors': '' }, { weights: 'missing' }],
    ['weights are cut off', { 'model.safetensors': WEIGHTS.subarray(0, -1) }, { weights: 'incomplete' }],
    [
      'a shard is missing',
      {
        'model.safetensors.index.json': JSON.stringify({
          weight_map: { w: 'model.safetensors', v: 'other.safetensors' },
        }),
      },
      { weights: 'incomplete' },
    ],
    ['the configuration is no JSON', { 'config.json': '{"model_type":' }, { config: 'incomplete' }],
    ['the tokenizer is empty', { 'tokenizer.json': '' }, { tokenizer: 'incomplete' }],
  ])('are not when %s', async (_, changed, expected) => {
    expect(await componentsOf({ ...WHOLE, ...changed })).toMatchObject(expected);
  });

  it.each<[string, readonly string[], ModelComponents['tokenizer']]>([
    ['a model that reads text has none', [], 'missing'],
    ['only what is said of it is there', ['tokenizer_config.json', 'special_tokens_map.json'], 'incomplete'],
    ['the merges of its vocabulary are missing', ['vocab.json'], 'incomplete'],
    ['its vocabulary has its merges', ['vocab.json', 'merges.txt'], 'present'],
    ['it is of SentencePiece', ['tokenizer.model'], 'present'],
    ['it is of tiktoken', ['qwen.tiktoken'], 'present'],
    ['it is below another folder', ['original/tokenizer.model'], 'missing'],
  ])('tell of the tokenizer when %s', async (_, names, expected) => {
    const { 'tokenizer.json': _tokenizer, ...others } = WHOLE;
    const found = await componentsOf({ ...others, ...Object.fromEntries(names.map((name) => [name, '{}'])) });
    expect(found?.tokenizer).toBe(expected);
  });

  it('do not count training_args.bin as weights, nor ask a model of pictures for a tokenizer', async () => {
    const config = JSON.stringify({ model_type: 'vit' });
    expect(await componentsOf({ 'config.json': config, 'training_args.bin': 'x' })).toEqual({
      weights: 'missing',
      config: 'present',
    });
  });

  it('know a configuration that is missing by what is beside it, and letters as a vocabulary', async () => {
    const { 'config.json': _config, ...others } = WHOLE;
    expect(await componentsOf(others)).toEqual({ weights: 'present', config: 'missing', tokenizer: 'present' });
    const heard = { 'config.json': JSON.stringify({ model_type: 'wav2vec2', vocab_size: 32 }), 'vocab.json': '{}' };
    expect((await componentsOf({ ...heard, 'model.safetensors': WEIGHTS }))?.tokenizer).toBe('present');
  });

  it('are not asked of other layouts', async () => {
    expect(await componentsOf({ 'model.gguf': 'x' })).toBeUndefined();
    expect(await componentsOf({ 'config.json': '{"lr":1}', 'model.safetensors': WEIGHTS })).toBeUndefined();
    expect(await componentsOf({ 'adapter_config.json': '{}', 'adapter_model.safetensors': WEIGHTS })).toBeUndefined();
  });
});
