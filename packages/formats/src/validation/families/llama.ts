import type { Family } from '../types.ts';
import { attention, decoderSizes, llamaLayout } from './decoder.ts';

const DEFAULTS = { hidden: 4096, inner: 11_008, layers: 32, vocabulary: 32_000, heads: 32 };

/** Source: transformers, `models/llama/modeling_llama.py`. */
export const llama: Family = {
  name: 'llama',
  modelTypes: ['llama'],
  layout(config) {
    const sizes = decoderSizes(config, DEFAULTS);
    const bias = config.flag('attention_bias', false);
    const attends = attention(sizes, { input: bias, output: bias });
    return llamaLayout(config, sizes, { attends, networkBias: config.flag('mlp_bias', false) });
  },
};
