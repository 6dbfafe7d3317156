import type { Files } from '../helpers/models.ts';

const SIZES = { hidden_size: 8, intermediate_size: 12, num_hidden_layers: 1, num_attention_heads: 4, vocab_size: 20 };
const CONFIG = { model_type: 'llama', architectures: ['LlamaForCausalLM'], num_key_value_heads: 2, ...SIZES };
const LAYER = 'model.layers.0';
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  'model.embed_tokens.weight': [20, 8],
  'model.norm.weight': [8],
  'lm_head.weight': [20, 8],
  [`${LAYER}.input_layernorm.weight`]: [8],
  [`${LAYER}.post_attention_layernorm.weight`]: [8],
  [`${LAYER}.self_attn.q_proj.weight`]: [8, 8],
  [`${LAYER}.self_attn.k_proj.weight`]: [4, 8],
  [`${LAYER}.self_attn.v_proj.weight`]: [4, 8],
  [`${LAYER}.self_attn.o_proj.weight`]: [8, 8],
  [`${LAYER}.mlp.gate_proj.weight`]: [12, 8],
  [`${LAYER}.mlp.up_proj.weight`]: [12, 8],
  [`${LAYER}.mlp.down_proj.weight`]: [8, 12],
};

const TOKENIZER = {
  version: '1.0',
  added_tokens: [{ id: 0, content: '<s>', special: true }],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
  post_processor: null,
  decoder: { type: 'ByteLevel' },
  model: { type: 'BPE', vocab: { H: 1, e: 2, l: 3, o: 4, He: 5 }, merges: ['H e'] },
};

export interface ModelChanges {
  readonly config?: object;
  /** Left out of the weights. */
  readonly without?: string;
  /** Bytes of a number of 32 bits, at the beginning of this tensor. */
  readonly numbers?: Readonly<Record<string, number>>;
  readonly tokenizer?: object;
}

/** A llama of one layer with numbers of 32 bits, all of them 1 but for those that are changed. */
export function makeLlama({ config = {}, without, numbers = {}, tokenizer = {} }: ModelChanges = {}): Files {
  const header: Record<string, object> = {};
  const parts: Float32Array[] = [];
  let at = 0;
  for (const [name, shape] of Object.entries(SHAPES)) {
    if (name === without) continue;
    const values = new Float32Array(shape.reduce((count, side) => count * side, 1)).fill(1);
    if (Object.hasOwn(numbers, name)) values[0] = numbers[name] as number;
    parts.push(values);
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + values.byteLength] };
    at += values.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return {
    'config.json': JSON.stringify({ ...CONFIG, ...config }),
    'model.safetensors': Buffer.concat([length, text, ...parts.map((part) => Buffer.from(part.buffer))]),
    'tokenizer.json': JSON.stringify({ ...TOKENIZER, ...tokenizer }),
  };
}
