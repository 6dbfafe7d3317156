import type { ConfigReader } from '../config-reader.ts';
import type { Family, FamilyLayout, LayoutRow } from '../types.ts';
import {
  attention,
  type DecoderDefaults,
  type DecoderSizes,
  decoderLayout,
  decoderSizes,
  gatedNetwork,
  norm,
} from './decoder.ts';

const GEMMA: DecoderDefaults = {
  ...{ hidden: 3072, inner: 24_576, layers: 28, vocabulary: 256_000, heads: 16 },
  ...{ keyHeads: 16, headSize: 256 },
};
const GEMMA2 = { ...GEMMA, hidden: 2304, inner: 9216, layers: 26, heads: 8, keyHeads: 4 };
const GEMMA3 = { ...GEMMA2, vocabulary: 262_208 };

const TWO_NORMS = ['input_layernorm', 'post_attention_layernorm'];
const FOUR_NORMS = [...TWO_NORMS, 'pre_feedforward_layernorm', 'post_feedforward_layernorm'];

/** Source: transformers, `models/gemma/modeling_gemma.py`. */
export const gemma: Family = {
  name: 'gemma',
  modelTypes: ['gemma'],
  layout: (config) => gemmaLayout(config, decoderSizes(config, GEMMA), TWO_NORMS),
};

/** Source: transformers, `models/gemma2/modeling_gemma2.py`. */
export const gemma2: Family = {
  name: 'gemma2',
  modelTypes: ['gemma2'],
  layout: (config) => gemmaLayout(config, decoderSizes(config, GEMMA2), FOUR_NORMS),
};

/**
 * Text alone, or with images: the configuration of the part for text is inside of the model's, and the part for images is not
 * looked at. Source: transformers, `models/gemma3/modeling_gemma3.py`.
 */
export const gemma3: Family = {
  name: 'gemma3',
  modelTypes: ['gemma3', 'gemma3_text'],
  layout(config) {
    const text = config.part('text_config');
    const reader = text ?? config;
    const sizes = decoderSizes(reader, GEMMA3);
    const norms = ['q_norm', 'k_norm'].flatMap((name) => norm(`layers.{i}.self_attn.${name}`, sizes.headSize));
    const layout = gemmaLayout(reader, sizes, FOUR_NORMS, norms);
    if (text === undefined) return layout;
    const prefixes = ['language_model.model.', 'model.language_model.', 'language_model.'];
    const others = /^(?:model\.)?(?:vision_tower|multi_modal_projector)\./;
    return { ...layout, prefixes, known: [...layout.known, others, /^language_model\.lm_head\./] };
  },
};

function gemmaLayout(
  config: ConfigReader,
  sizes: DecoderSizes,
  norms: readonly string[],
  more: readonly LayoutRow[] = [],
): FamilyLayout {
  const bias = config.flag('attention_bias', false);
  const layer = [
    ...attention(sizes, { input: bias, output: bias }),
    ...gatedNetwork(sizes),
    ...norms.flatMap((name) => norm(`layers.{i}.${name}`, sizes.hidden)),
    ...more,
  ];
  return decoderLayout(config, sizes, layer, true);
}
