/**
 * Small models with the names and shapes of real ones, written down from checkpoints of the hub and not from our tables:
 * `name: shape`, a line each; `{i}` stands for each of two layers.
 */
export interface FamilyModel {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: string;
}

const LLAMA_LAYER = `
model.layers.{i}.input_layernorm.weight: 8
model.layers.{i}.mlp.down_proj.weight: 8 12
model.layers.{i}.mlp.gate_proj.weight: 12 8
model.layers.{i}.mlp.up_proj.weight: 12 8
model.layers.{i}.post_attention_layernorm.weight: 8
model.layers.{i}.self_attn.k_proj.weight: 4 8
model.layers.{i}.self_attn.o_proj.weight: 8 8
model.layers.{i}.self_attn.q_proj.weight: 8 8
model.layers.{i}.self_attn.v_proj.weight: 4 8`;
const ENDS = `
model.embed_tokens.weight: 20 8
model.norm.weight: 8`;
const HEAD = `
lm_head.weight: 20 8`;

const SIZES = {
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 20,
};

/** Heads of 4: queries have 16 outputs and keys 8. */
const GEMMA_LAYER = `
model.layers.{i}.input_layernorm.weight: 8
model.layers.{i}.mlp.down_proj.weight: 8 12
model.layers.{i}.mlp.gate_proj.weight: 12 8
model.layers.{i}.mlp.up_proj.weight: 12 8
model.layers.{i}.post_attention_layernorm.weight: 8
model.layers.{i}.self_attn.k_proj.weight: 8 8
model.layers.{i}.self_attn.o_proj.weight: 8 16
model.layers.{i}.self_attn.q_proj.weight: 16 8
model.layers.{i}.self_attn.v_proj.weight: 8 8`;
const GEMMA2_LAYER = `${GEMMA_LAYER}
model.layers.{i}.post_feedforward_layernorm.weight: 8
model.layers.{i}.pre_feedforward_layernorm.weight: 8`;
const HEAD_NORMS = `
model.layers.{i}.self_attn.k_norm.weight: 4
model.layers.{i}.self_attn.q_norm.weight: 4`;

export const FAMILY_MODELS: Readonly<Record<string, FamilyModel>> = {
  llama: {
    config: { model_type: 'llama', architectures: ['LlamaForCausalLM'], ...SIZES },
    tensors: ENDS + LLAMA_LAYER + HEAD,
  },
  'llama with biases': {
    config: {
      ...{ model_type: 'llama', architectures: ['LlamaForCausalLM'], ...SIZES },
      ...{ attention_bias: true, mlp_bias: true, head_dim: 2, tie_word_embeddings: true },
    },
    tensors: `${ENDS}${LLAMA_LAYER}
model.layers.{i}.mlp.down_proj.bias: 8
model.layers.{i}.mlp.gate_proj.bias: 12
model.layers.{i}.mlp.up_proj.bias: 12
model.layers.{i}.self_attn.k_proj.bias: 4
model.layers.{i}.self_attn.o_proj.bias: 8
model.layers.{i}.self_attn.q_proj.bias: 8
model.layers.{i}.self_attn.v_proj.bias: 4`,
  },
  mistral: {
    config: { model_type: 'mistral', architectures: ['MistralForCausalLM'], ...SIZES, head_dim: null },
    tensors: ENDS + LLAMA_LAYER + HEAD,
  },
  'mistral without a head': {
    config: { model_type: 'mistral', architectures: ['MistralModel'], ...SIZES },
    tensors: (ENDS + LLAMA_LAYER).replaceAll('model.', ''),
  },
  qwen2: {
    config: { model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'], ...SIZES, tie_word_embeddings: true },
    tensors: `${ENDS}${LLAMA_LAYER}
model.layers.{i}.self_attn.k_proj.bias: 4
model.layers.{i}.self_attn.q_proj.bias: 8
model.layers.{i}.self_attn.v_proj.bias: 4`,
  },
  qwen3: {
    config: { model_type: 'qwen3', architectures: ['Qwen3ForCausalLM'], ...SIZES, head_dim: 4 },
    tensors: ENDS + GEMMA_LAYER + HEAD_NORMS + HEAD,
  },
  gemma: {
    config: { model_type: 'gemma', architectures: ['GemmaForCausalLM'], ...SIZES, head_dim: 4 },
    tensors: ENDS + GEMMA_LAYER,
  },
  gemma2: {
    config: { model_type: 'gemma2', architectures: ['Gemma2ForCausalLM'], ...SIZES, head_dim: 4 },
    tensors: ENDS + GEMMA2_LAYER,
  },
  'gemma3 of text': {
    config: { model_type: 'gemma3_text', architectures: ['Gemma3ForCausalLM'], ...SIZES, head_dim: 4 },
    tensors: ENDS + GEMMA2_LAYER + HEAD_NORMS,
  },
  'gemma3 of images': {
    config: {
      ...{ model_type: 'gemma3', architectures: ['Gemma3ForConditionalGeneration'] },
      ...{ text_config: { model_type: 'gemma3_text', ...SIZES, head_dim: 4 }, vision_config: { hidden_size: 3 } },
    },
    tensors: `${(ENDS + GEMMA2_LAYER + HEAD_NORMS).replaceAll('model.', 'language_model.model.')}
multi_modal_projector.mm_input_projection_weight: 3 8
vision_tower.vision_model.post_layernorm.weight: 3`,
  },
  phi: {
    config: { model_type: 'phi', architectures: ['PhiForCausalLM'], ...SIZES },
    tensors: `
lm_head.bias: 20
lm_head.weight: 20 8
model.embed_tokens.weight: 20 8
model.final_layernorm.bias: 8
model.final_layernorm.weight: 8
model.layers.{i}.input_layernorm.bias: 8
model.layers.{i}.input_layernorm.weight: 8
model.layers.{i}.mlp.fc1.bias: 12
model.layers.{i}.mlp.fc1.weight: 12 8
model.layers.{i}.mlp.fc2.bias: 8
model.layers.{i}.mlp.fc2.weight: 8 12
model.layers.{i}.self_attn.dense.bias: 8
model.layers.{i}.self_attn.dense.weight: 8 8
model.layers.{i}.self_attn.k_proj.bias: 4
model.layers.{i}.self_attn.k_proj.weight: 4 8
model.layers.{i}.self_attn.q_proj.bias: 8
model.layers.{i}.self_attn.q_proj.weight: 8 8
model.layers.{i}.self_attn.v_proj.bias: 4
model.layers.{i}.self_attn.v_proj.weight: 4 8`,
  },
  phi3: {
    config: { model_type: 'phi3', architectures: ['Phi3ForCausalLM'], ...SIZES },
    tensors: `${ENDS}${HEAD}
model.layers.{i}.input_layernorm.weight: 8
model.layers.{i}.mlp.down_proj.weight: 8 12
model.layers.{i}.mlp.gate_up_proj.weight: 24 8
model.layers.{i}.post_attention_layernorm.weight: 8
model.layers.{i}.self_attn.o_proj.weight: 8 8
model.layers.{i}.self_attn.qkv_proj.weight: 16 8`,
  },
  bert: {
    config: {
      ...{ model_type: 'bert', architectures: ['BertForMaskedLM'], ...SIZES },
      ...{ max_position_embeddings: 16, type_vocab_size: 2 },
    },
    tensors: `
bert.embeddings.LayerNorm.beta: 8
bert.embeddings.LayerNorm.gamma: 8
bert.embeddings.position_embeddings.weight: 16 8
bert.embeddings.token_type_embeddings.weight: 2 8
bert.embeddings.word_embeddings.weight: 20 8
bert.encoder.layer.{i}.attention.output.LayerNorm.bias: 8
bert.encoder.layer.{i}.attention.output.LayerNorm.weight: 8
bert.encoder.layer.{i}.attention.output.dense.bias: 8
bert.encoder.layer.{i}.attention.output.dense.weight: 8 8
bert.encoder.layer.{i}.attention.self.key.bias: 8
bert.encoder.layer.{i}.attention.self.key.weight: 8 8
bert.encoder.layer.{i}.attention.self.query.bias: 8
bert.encoder.layer.{i}.attention.self.query.weight: 8 8
bert.encoder.layer.{i}.attention.self.value.bias: 8
bert.encoder.layer.{i}.attention.self.value.weight: 8 8
bert.encoder.layer.{i}.intermediate.dense.bias: 12
bert.encoder.layer.{i}.intermediate.dense.weight: 12 8
bert.encoder.layer.{i}.output.LayerNorm.bias: 8
bert.encoder.layer.{i}.output.LayerNorm.weight: 8
bert.encoder.layer.{i}.output.dense.bias: 8
bert.encoder.layer.{i}.output.dense.weight: 8 12
cls.predictions.bias: 20
cls.predictions.transform.dense.weight: 8 8`,
  },
  gpt2: {
    config: {
      ...{ model_type: 'gpt2', architectures: ['GPT2LMHeadModel'] },
      ...{ n_embd: 8, n_layer: 2, n_head: 4, n_positions: 16, vocab_size: 20 },
    },
    tensors: `
h.{i}.attn.bias: 1 1 16 16
h.{i}.attn.c_attn.bias: 24
h.{i}.attn.c_attn.weight: 8 24
h.{i}.attn.c_proj.bias: 8
h.{i}.attn.c_proj.weight: 8 8
h.{i}.ln_1.bias: 8
h.{i}.ln_1.weight: 8
h.{i}.ln_2.bias: 8
h.{i}.ln_2.weight: 8
h.{i}.mlp.c_fc.bias: 32
h.{i}.mlp.c_fc.weight: 8 32
h.{i}.mlp.c_proj.bias: 8
h.{i}.mlp.c_proj.weight: 32 8
ln_f.bias: 8
ln_f.weight: 8
wpe.weight: 16 8
wte.weight: 20 8`,
  },
};

export interface NamedShape {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

export function tensorsOf({ tensors }: Pick<FamilyModel, 'tensors'>, dtype = 'BF16'): NamedShape[] {
  return tensors
    .trim()
    .split('\n')
    .flatMap((line) => (line.includes('{i}') ? ['0', '1'].map((i) => line.replace('{i}', i)) : [line]))
    .map((line) => {
      const [name = '', shape = ''] = line.split(': ');
      return { name, dtype, shape: shape.split(' ').map(Number) };
    });
}
