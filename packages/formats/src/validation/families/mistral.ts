import type { Family } from '../types.ts';
import { attention, decoderSizes, llamaLayout } from './decoder.ts';

const DEFAULTS = { hidden: 4096, inner: 14_336, layers: 32, vocabulary: 32_000, heads: 32, keyHeads: 8 };

/** Source: transformers, `models/mistral/modeling_mistral.py`. */
export const mistral: Family = {
  name: 'mistral',
  modelTypes: ['mistral'],
  layout(config) {
    const sizes = decoderSizes(config, DEFAULTS);
    return llamaLayout(config, sizes, { attends: attention(sizes, { input: false, output: false }) });
  },
};
