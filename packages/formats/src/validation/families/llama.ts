import type { Family } from '../types.ts';
import {
  attention,
  DECODER_PREFIXES,
  decoderEnds,
  decoderSizes,
  gatedNetwork,
  norm,
  OLD_BUFFERS,
  wordsHead,
} from './decoder.ts';

/** Source: transformers, `models/llama/modeling_llama.py`. */
export const llama: Family = {
  name: 'llama',
  modelTypes: ['llama'],
  layout(config) {
    const sizes = decoderSizes(config, { hidden: 4096, inner: 11_008, layers: 32, vocabulary: 32_000, heads: 32 });
    const bias = config.flag('attention_bias', false);
    return {
      prefixes: DECODER_PREFIXES,
      layers: sizes.layers,
      layer: [
        ...attention(sizes, { input: bias, output: bias }),
        ...gatedNetwork(sizes, config.flag('mlp_bias', false)),
        ...norm('layers.{i}.input_layernorm', sizes.hidden),
        ...norm('layers.{i}.post_attention_layernorm', sizes.hidden),
      ],
      once: decoderEnds(sizes),
      head: wordsHead(sizes, config.flag('tie_word_embeddings', false)),
      known: OLD_BUFFERS,
    };
  },
};
