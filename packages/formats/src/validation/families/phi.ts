import type { Family } from '../types.ts';
import { attention, decoderLayout, decoderSizes, linear, norm } from './decoder.ts';

/** Phi 1 and 2: everything has biases. Source: transformers, `models/phi/modeling_phi.py`. */
export const phi: Family = {
  name: 'phi',
  modelTypes: ['phi'],
  layout(config) {
    const sizes = decoderSizes(config, { hidden: 2048, inner: 8192, layers: 24, vocabulary: 51_200, heads: 32 });
    const { hidden, inner, queries, headSize, vocabulary } = sizes;
    const norms = config.flag('qk_layernorm', false) ? ['q_layernorm', 'k_layernorm'] : [];
    const layout = decoderLayout(config, sizes, [
      ...attention(sizes, { input: true, output: true }).filter(({ name }) => !name.includes('.o_proj.')),
      ...linear('layers.{i}.self_attn.dense', hidden, queries, true),
      ...norms.flatMap((name) => norm(`layers.{i}.self_attn.${name}`, headSize, true)),
      ...linear('layers.{i}.mlp.fc1', inner, hidden, true),
      ...linear('layers.{i}.mlp.fc2', hidden, inner, true),
      ...norm('layers.{i}.input_layernorm', hidden, true),
    ]);
    return {
      ...layout,
      once: [{ name: 'embed_tokens.weight', shape: [vocabulary, hidden] }, ...norm('final_layernorm', hidden, true)],
      head: [...layout.head, { name: 'lm_head.bias', shape: [vocabulary] }],
    };
  },
};

/** What goes into attention and network is one tensor each. Source: transformers, `models/phi3/modeling_phi3.py`. */
export const phi3: Family = {
  name: 'phi3',
  modelTypes: ['phi3'],
  layout(config) {
    const sizes = decoderSizes(config, { hidden: 3072, inner: 8192, layers: 32, vocabulary: 32_064, heads: 32 });
    const { hidden, inner, queries, keys } = sizes;
    return decoderLayout(config, sizes, [
      ...linear('layers.{i}.self_attn.qkv_proj', queries + 2 * keys, hidden, false),
      ...linear('layers.{i}.self_attn.o_proj', hidden, queries, false),
      ...linear('layers.{i}.mlp.gate_up_proj', 2 * inner, hidden, false),
      ...linear('layers.{i}.mlp.down_proj', hidden, inner, false),
      ...norm('layers.{i}.input_layernorm', hidden),
      ...norm('layers.{i}.post_attention_layernorm', hidden),
    ]);
  },
};
