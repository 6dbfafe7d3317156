import { describe, expect, it } from '@jest/globals';
import { checkConfig } from '@model-rtc/formats/validation';
import { FAMILY_MODELS, type FamilyModel, type NamedShape, tensorsOf } from './family-models.ts';

const { config: BASE } = FAMILY_MODELS.llama as FamilyModel;
/** Wide enough for whole words of 4 bits. */
const CONFIG = { ...BASE, hidden_size: 64, intermediate_size: 128, num_attention_heads: 4, num_key_value_heads: 2 };
const WIDE = `
lm_head.weight: 20 64
model.embed_tokens.weight: 20 64
model.layers.{i}.input_layernorm.weight: 64
model.layers.{i}.mlp.down_proj.weight: 64 128
model.layers.{i}.mlp.gate_proj.weight: 128 64
model.layers.{i}.mlp.up_proj.weight: 128 64
model.layers.{i}.post_attention_layernorm.weight: 64
model.layers.{i}.self_attn.k_proj.weight: 32 64
model.layers.{i}.self_attn.o_proj.weight: 64 64
model.layers.{i}.self_attn.q_proj.weight: 64 64
model.layers.{i}.self_attn.v_proj.weight: 32 64
model.norm.weight: 64`;

type Parts = readonly (readonly [suffix: string, dtype: string, shape: readonly number[]])[];

/** Writes the projections of the layers as a tool that quantises does. */
function quantised(parts: (outputs: number, inputs: number) => Parts): NamedShape[] {
  return tensorsOf({ tensors: WIDE }).flatMap((tensor) => {
    if (!tensor.name.includes('_proj.')) return [tensor];
    const [outputs = 0, inputs = 0] = tensor.shape;
    const layer = tensor.name.slice(0, -'weight'.length);
    return parts(outputs, inputs).map(([suffix, dtype, shape]) => ({ name: layer + suffix, dtype, shape }));
  });
}

const TOOLS: readonly [string, object, (outputs: number, inputs: number) => Parts][] = [
  [
    'bitsandbytes in 4 bits',
    { quantization_config: { quant_method: 'bitsandbytes', load_in_4bit: true } },
    (o, i) => [
      ['weight', 'U8', [(o * i) / 2, 1]],
      ['weight.absmax', 'U8', [(o * i) / 64]],
      ['weight.quant_map', 'F32', [16]],
      ['weight.quant_state.bitsandbytes__nf4', 'U8', [100]],
    ],
  ],
  [
    'bitsandbytes in 8 bits',
    { quantization_config: { quant_method: 'bitsandbytes', load_in_8bit: true } },
    (o, i) => [
      ['weight', 'I8', [o, i]],
      ['SCB', 'F32', [o]],
    ],
  ],
  [
    'gptq',
    { quantization_config: { quant_method: 'gptq', bits: 4, group_size: 32 } },
    (o, i) => [
      ['qweight', 'I32', [i / 8, o]],
      ['qzeros', 'I32', [i / 32, o / 8]],
      ['scales', 'F16', [i / 32, o]],
      ['g_idx', 'I32', [i]],
    ],
  ],
  [
    'awq',
    { quantization_config: { quant_method: 'awq', bits: 4, group_size: 32, version: 'gemm' } },
    (o, i) => [
      ['qweight', 'I32', [i, o / 8]],
      ['qzeros', 'I32', [i / 32, o / 8]],
      ['scales', 'F16', [i / 32, o]],
    ],
  ],
  [
    'fp8',
    { quantization_config: { quant_method: 'fp8', weight_block_size: [128, 128] } },
    (o, i) => [
      ['weight', 'F8_E4M3', [o, i]],
      ['weight_scale_inv', 'F32', [1, 1]],
    ],
  ],
  [
    'compressed-tensors',
    { quantization_config: { quant_method: 'compressed-tensors' } },
    (o, i) => [
      ['weight_packed', 'I32', [o, i / 8]],
      ['weight_scale', 'BF16', [o, 1]],
      ['weight_shape', 'I64', [2]],
    ],
  ],
  [
    'mlx',
    { quantization: { bits: 4, group_size: 64 } },
    (o, i) => [
      ['weight', 'U32', [o, i / 8]],
      ['scales', 'BF16', [o, i / 64]],
      ['biases', 'BF16', [o, i / 64]],
    ],
  ],
];

describe.each(TOOLS)('a model that is quantised by %s', (_, settings, parts) => {
  const config = { ...CONFIG, ...settings };
  const tensors = quantised(parts);

  it('fits its configuration', () => {
    expect(checkConfig(config, tensors)).toMatchObject({ outcome: 'passed' });
  });

  it('does not fit it where the weight of a layer is missing', () => {
    const [name] = parts(1, 1)[0] as Parts[number];
    const lost = `model.layers.1.mlp.up_proj.${name}`;
    const { outcome, detail } = checkConfig(
      config,
      tensors.filter((tensor) => tensor.name !== lost),
    );
    expect({ outcome, detail }).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('Missing: model.layers.1.mlp.up_proj.weight'),
    });
  });

  it('does not fit a configuration without the quantisation', () => {
    const { outcome } = checkConfig(CONFIG, tensors);
    // The names alone differ where each weight keeps its shape.
    expect(outcome).toBe(/8 bits|fp8/.test(_) ? 'warning' : 'failed');
  });
});

it('names a packed weight of another shape', () => {
  const [, settings, parts] = TOOLS[2] as (typeof TOOLS)[number];
  const tensors = quantised(parts).map((tensor) =>
    tensor.name === 'model.layers.0.mlp.up_proj.qweight' ? { ...tensor, shape: [9, 128] } : tensor,
  );
  expect(checkConfig({ ...CONFIG, ...settings }, tensors).detail).toBe(
    'Wrong shape: model.layers.0.mlp.up_proj.qweight is [9, 128] and should be [8, 128].',
  );
});
