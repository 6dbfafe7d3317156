import { readFile } from 'node:fs/promises';
import { checkConfig, checkTokenizer, examineWeights } from '@model-rtc/formats/validation';
import { inflate } from '../../packages/registry/src/inspect/inflate.ts';
import type { FuzzTarget } from './fuzz.ts';

const FIXTURE = new URL('../fixtures/tiny-llama/', import.meta.url);
const OUTCOMES = new Set(['passed', 'failed', 'warning', 'skipped']);

const read = async (name: string): Promise<Uint8Array> => new Uint8Array(await readFile(new URL(name, FIXTURE)));

function fileOf(path: string, bytes: Uint8Array) {
  const reader = {
    size: bytes.length,
    read: async (offset: number, length: number) => bytes.slice(offset, offset + length),
  };
  return {
    path,
    size: bytes.length,
    withReader: async <T>(work: (from: typeof reader) => Promise<T>) => await work(reader),
  };
}

function requireResults(results: readonly { readonly outcome: string }[]): void {
  for (const { outcome } of results) if (!OUTCOMES.has(outcome)) throw new Error(`the outcome ${outcome}`);
}

/** A SentencePiece model of two pieces. */
const PIECES = Uint8Array.of(0x0a, 5, 0x0a, 1, 0x61, 0x18, 1, 0x0a, 3, 0x0a, 1, 0x62);

/** What `client validate` reads of a model, whose files are all somebody else's. */
export const VALIDATION_TARGETS: readonly FuzzTarget[] = [
  {
    name: 'config-against-tensors',
    samples: async () => {
      const texts = ['llama', 'qwen3', 'gemma3', 'phi', 'bert', 'gpt2'].map((type) =>
        JSON.stringify({ model_type: type, hidden_size: 128, num_attention_heads: 4, text_config: { head_dim: 32 } }),
      );
      return [await read('config.json'), ...texts.map((text) => new TextEncoder().encode(text))];
    },
    async read(bytes) {
      let config: unknown;
      try {
        config = JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        return;
      }
      if (typeof config !== 'object' || config === null || Array.isArray(config)) return;
      requireResults([
        checkConfig(config as Record<string, unknown>, [{ name: 'lm_head.weight', dtype: 'F32', shape: [1] }]),
      ]);
    },
  },
  {
    name: 'weights-and-index',
    samples: async () => [await read('model.safetensors.index.json'), await read('config.json')],
    async read(bytes) {
      const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
      const small = await Promise.all(shards.map(async (name) => fileOf(name, (await read(name)).subarray(0, 8192))));
      for (const name of ['model.safetensors.index.json', 'config.json', 'adapter_config.json', 'm.gguf']) {
        requireResults((await examineWeights([...small, fileOf(name, bytes)], { inflate })).results);
      }
    },
  },
  {
    name: 'tokenizer-files',
    samples: async () => [await read('tokenizer.json'), await read('tokenizer_config.json'), PIECES],
    async read(bytes) {
      for (const name of ['tokenizer.json', 'vocab.json', 'tokenizer.model', 'vocab.txt']) {
        requireResults([await checkTokenizer([fileOf(name, bytes)], { vocab_size: 1024 })]);
      }
    },
  },
];
