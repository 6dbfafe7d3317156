import { ConfigProblem } from '../config-reader.ts';
import type { Family, LayoutRow } from '../types.ts';
import { linear, norm } from './decoder.ts';

/** The parts for a task: each kind has others, and the backbone alone has none. */
const HEADS = /^(?:cls|classifier|qa_outputs|lm_head|dropout|linear|vocab_projector)\b/;

/** BERT, and RoBERTa, which has the same layers. Source: transformers, `models/bert/modeling_bert.py`. */
export const bert: Family = {
  name: 'bert',
  modelTypes: ['bert', 'roberta', 'xlm-roberta', 'camembert'],
  layout(config) {
    const hidden = config.count('hidden_size', 768);
    const inner = config.count('intermediate_size', 3072);
    const heads = config.count('num_attention_heads', 12);
    if (hidden % heads !== 0) {
      throw new ConfigProblem(`hidden_size (${hidden}) is no multiple of num_attention_heads (${heads}).`);
    }
    const isBert = (config.text('model_type') ?? 'bert') === 'bert';
    const sizes = {
      vocabulary: config.count('vocab_size', isBert ? 30_522 : 50_265),
      positions: config.count('max_position_embeddings', 512),
      types: config.count('type_vocab_size', 2),
    };
    const layer = 'encoder.layer.{i}';
    return {
      prefixes: ['bert.', 'roberta.', ''],
      layers: config.layers('num_hidden_layers', 12),
      layer: [
        ...['query', 'key', 'value'].flatMap((name) => linear(`${layer}.attention.self.${name}`, hidden, hidden, true)),
        ...linear(`${layer}.attention.output.dense`, hidden, hidden, true),
        ...bertNorm(`${layer}.attention.output.LayerNorm`, hidden),
        ...linear(`${layer}.intermediate.dense`, inner, hidden, true),
        ...linear(`${layer}.output.dense`, hidden, inner, true),
        ...bertNorm(`${layer}.output.LayerNorm`, hidden),
      ],
      once: [
        { name: 'embeddings.word_embeddings.weight', shape: [sizes.vocabulary, hidden] },
        { name: 'embeddings.position_embeddings.weight', shape: [sizes.positions, hidden] },
        { name: 'embeddings.token_type_embeddings.weight', shape: [sizes.types, hidden] },
        ...bertNorm('embeddings.LayerNorm', hidden),
        ...linear('pooler.dense', hidden, hidden, true).map((row) => ({ ...row, isOptional: true })),
      ],
      head: [],
      known: [/embeddings\.(?:position_ids|token_type_ids)$/, HEADS],
    };
  },
};

/** The first checkpoints of it come from TensorFlow, with the names of there. */
function bertNorm(name: string, size: number): LayoutRow[] {
  return norm(name, size, true).map((row) => {
    return { ...row, formerName: row.name.replace(/weight$/, 'gamma').replace(/bias$/, 'beta') };
  });
}
