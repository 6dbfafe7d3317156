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

const DEFAULTS = { hidden: 4096, inner: 14_336, layers: 32, vocabulary: 32_000, heads: 32, keyHeads: 8 };

/** Source: transformers, `models/mistral/modeling_mistral.py`. */
export const mistral: Family = {
  name: 'mistral',
  modelTypes: ['mistral'],
  layout(config) {
    const sizes = decoderSizes(config, DEFAULTS);
    return {
      prefixes: DECODER_PREFIXES,
      layers: sizes.layers,
      layer: [
        ...attention(sizes, { input: false, output: false }),
        ...gatedNetwork(sizes),
        ...norm('layers.{i}.input_layernorm', sizes.hidden),
        ...norm('layers.{i}.post_attention_layernorm', sizes.hidden),
      ],
      once: decoderEnds(sizes),
      head: wordsHead(sizes, config.flag('tie_word_embeddings', false)),
      known: OLD_BUFFERS,
    };
  },
};
