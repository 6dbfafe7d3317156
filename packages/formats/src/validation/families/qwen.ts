import type { Family } from '../types.ts';
import { attention, decoderSizes, llamaLayout, norm } from './decoder.ts';

const DEFAULTS = { hidden: 4096, inner: 22_016, layers: 32, vocabulary: 151_936, heads: 32, keyHeads: 32 };

/** Its attention has biases at its inputs. Source: transformers, `models/qwen2/modeling_qwen2.py`. */
export const qwen2: Family = {
  name: 'qwen2',
  modelTypes: ['qwen2'],
  layout(config) {
    const sizes = decoderSizes(config, DEFAULTS);
    return llamaLayout(config, sizes, { attends: attention(sizes, { input: true, output: false }) });
  },
};

/** Its attention normalises queries and keys instead. Source: transformers, `models/qwen3/modeling_qwen3.py`. */
export const qwen3: Family = {
  name: 'qwen3',
  modelTypes: ['qwen3'],
  layout(config) {
    const sizes = decoderSizes(config, { ...DEFAULTS, headSize: 128 });
    const bias = config.flag('attention_bias', false);
    const attends = [
      ...attention(sizes, { input: bias, output: bias }),
      ...norm('layers.{i}.self_attn.q_norm', sizes.headSize),
      ...norm('layers.{i}.self_attn.k_norm', sizes.headSize),
    ];
    return llamaLayout(config, sizes, { attends });
  },
};
