import type { HubContent } from './contents.ts';

/** A safetensors file with one tensor of float32 numbers. */
export function safetensorsFile(numbers: number, seed = 1): Buffer {
  const header = Buffer.from(
    JSON.stringify({
      __metadata__: { format: 'pt' },
      'model.embed.weight': { dtype: 'F32', shape: [numbers], data_offsets: [0, numbers * 4] },
    }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const data = Buffer.alloc(numbers * 4);
  for (let i = 0; i < numbers; i++) data.writeFloatLE(((i * 31 + seed * 17) % 1000) / 1000, i * 4);
  return Buffer.concat([length, header, data]);
}

/** The files of a small model for text, as repositories of a hub have them. */
export function smallModel(seed = 1, numbers = 1000): Record<string, HubContent> {
  return {
    '.gitattributes': Buffer.from('*.safetensors filter=lfs diff=lfs merge=lfs -text\n'),
    'README.md': Buffer.from('---\nlicense: apache-2.0\n---\n# A model\n'),
    'config.json': Buffer.from(`${JSON.stringify({ model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'] })}\n`),
    'model.safetensors': safetensorsFile(numbers, seed),
    'modeling_qwen.py': Buffer.from('raise SystemExit("this must never run")\n'),
  };
}

/** What a hub says of such a repository. */
export const SMALL_MODEL = {
  card: { license: 'apache-2.0', base_model: 'Qwen/Qwen2.5-Base' },
  config: { model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'] },
  libraryName: 'transformers',
  parameters: 1000,
} as const;
