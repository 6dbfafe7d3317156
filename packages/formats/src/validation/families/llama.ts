import type { Family } from '../types.ts';
import { attention, type DecoderDefaults, decoderLayout, decoderSizes, gatedNetwork, norm } from './decoder.ts';

/** How a family with the layout of llama differs from llama. */
interface Variant extends DecoderDefaults {
  /** Which biases its attention has; `configured` for both or none, as the configuration says. */
  readonly biases: 'none' | 'inputs' | 'configured';
  /** Whether its configuration may give the gated network biases. */
  readonly mayBiasNetwork?: boolean;
  /** Whether its attention normalises queries and keys. */
  readonly normsHeads?: boolean;
}

const SIZES = { hidden: 4096, layers: 32, heads: 32 };
const QWEN = { ...SIZES, inner: 22_016, vocabulary: 151_936, keyHeads: 32 };

// Source: transformers, `models/NAME/modeling_NAME.py`.
export const llama = likeLlama('llama', {
  ...{ ...SIZES, inner: 11_008, vocabulary: 32_000 },
  ...{ biases: 'configured', mayBiasNetwork: true },
});
export const mistral = likeLlama('mistral', {
  ...{ ...SIZES, inner: 14_336, vocabulary: 32_000, keyHeads: 8 },
  biases: 'none',
});
export const qwen2 = likeLlama('qwen2', { ...QWEN, biases: 'inputs' });
export const qwen3 = likeLlama('qwen3', { ...QWEN, headSize: 128, biases: 'configured', normsHeads: true });

function likeLlama(name: string, { biases, mayBiasNetwork, normsHeads, ...defaults }: Variant): Family {
  return {
    name,
    modelTypes: [name],
    layout(config) {
      const sizes = decoderSizes(config, defaults);
      const isBiased = biases === 'configured' && config.flag('attention_bias', false);
      const headNorms = normsHeads ? ['q_norm', 'k_norm'] : [];
      return decoderLayout(config, sizes, [
        ...attention(sizes, { input: isBiased || biases === 'inputs', output: isBiased }),
        ...headNorms.flatMap((part) => norm(`layers.{i}.self_attn.${part}`, sizes.headSize)),
        ...gatedNetwork(sizes, mayBiasNetwork && config.flag('mlp_bias', false)),
        ...norm('layers.{i}.input_layernorm', sizes.hidden),
        ...norm('layers.{i}.post_attention_layernorm', sizes.hidden),
      ]);
    },
  };
}
