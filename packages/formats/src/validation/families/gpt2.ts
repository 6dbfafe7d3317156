import { ConfigProblem } from '../config-reader.ts';
import type { Family, LayoutRow } from '../types.ts';
import { norm } from './decoder.ts';

/** Its layers multiply from the other side: inputs come first in their weights. Source: transformers, `models/gpt2/modeling_gpt2.py`. */
export const gpt2: Family = {
  name: 'gpt2',
  modelTypes: ['gpt2'],
  layout(config) {
    const hidden = config.count(['n_embd', 'hidden_size'], 768);
    const inner = config.count('n_inner', 4 * hidden);
    const vocabulary = config.count('vocab_size', 50_257);
    const heads = config.count(['n_head', 'num_attention_heads'], 12);
    if (hidden % heads !== 0) throw new ConfigProblem(`n_embd (${hidden}) is no multiple of n_head (${heads}).`);
    return {
      prefixes: ['transformer.', ''],
      layers: config.layers(['n_layer', 'num_hidden_layers'], 12),
      layer: [
        ...norm('h.{i}.ln_1', hidden, true),
        ...reversed('h.{i}.attn.c_attn', hidden, 3 * hidden),
        ...reversed('h.{i}.attn.c_proj', hidden, hidden),
        ...norm('h.{i}.ln_2', hidden, true),
        ...reversed('h.{i}.mlp.c_fc', hidden, inner),
        ...reversed('h.{i}.mlp.c_proj', inner, hidden),
      ],
      once: [
        { name: 'wte.weight', shape: [vocabulary, hidden] },
        { name: 'wpe.weight', shape: [config.count(['n_positions', 'max_position_embeddings'], 1024), hidden] },
        ...norm('ln_f', hidden, true),
      ],
      head: [
        {
          name: 'lm_head.weight',
          shape: [vocabulary, hidden],
          isOptional: config.flag('tie_word_embeddings', true),
        },
      ],
      known: [/\.attn\.(?:masked_)?bias$/, /^(?:score|multiple_choice_head)\./],
    };
  },
};

function reversed(name: string, inputs: number, outputs: number): LayoutRow[] {
  return [
    { name: `${name}.weight`, shape: [inputs, outputs] },
    { name: `${name}.bias`, shape: [outputs] },
  ];
}
