import { describe, expect, it } from '@jest/globals';
import { checkConfig } from '@model-rtc/formats/validation';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import { FAMILY_MODELS, type NamedShape, tensorsOf } from './family-models.ts';

/** What loaders do without: parts beside the backbone, and buffers. */
const SPARED = /^(?:cls|vision_tower|multi_modal_projector)\.|\.attn\.bias$/;

describe.each(Object.entries(FAMILY_MODELS))('the configuration of %s', (_, model) => {
  const tensors = tensorsOf(model);

  it('fits the tensors of a model of it', () => {
    expect(checkConfig(model.config, tensors)).toMatchObject({ check: 'config', outcome: 'passed' });
  });

  it('names each tensor that is missing', () => {
    for (const { name } of tensors.filter((tensor) => !SPARED.test(tensor.name))) {
      const found = checkConfig(
        model.config,
        tensors.filter((tensor) => tensor.name !== name),
      );
      const named = name.replace(/gamma$/, 'weight').replace(/beta$/, 'bias');
      expect(found).toEqual({ check: 'config', outcome: 'failed', detail: `Missing: ${named}.` });
    }
  });

  it('names each tensor of another shape, with the right one', () => {
    for (const wrong of tensors.filter((tensor) => !SPARED.test(tensor.name))) {
      const shape = wrong.shape.map((side, i) => (i === 0 ? side + 1 : side));
      const changed = tensors.map((tensor) => (tensor === wrong ? { ...tensor, shape } : tensor));
      const detail = `Wrong shape: ${wrong.name} is [${shape.join(', ')}] and should be [${wrong.shape.join(', ')}].`;
      expect(checkConfig(model.config, changed)).toEqual({ check: 'config', outcome: 'failed', detail });
    }
  });

  it('warns of a tensor that the family does not have', () => {
    const prefix = tensors[0]?.name.split('.')[0];
    const more: NamedShape = { name: `${prefix}.surprise.weight`, dtype: 'F32', shape: [1] };
    const found = checkConfig(model.config, [...tensors, more]);
    expect(found.outcome === 'passed' || found.detail === `Unexpected: ${more.name}.`).toBe(true);
    if (prefix === 'model') expect(found.outcome).toBe('warning');
  });
});

describe('a configuration', () => {
  const { config, tensors } = FAMILY_MODELS.llama as { config: Record<string, unknown>; tensors: string };
  const found = tensorsOf({ tensors });

  it('of more layers than the weights have names those that are missing, and how many', () => {
    const { outcome, detail } = checkConfig({ ...config, num_hidden_layers: 3 }, found);
    expect(outcome).toBe('failed');
    expect(detail).toMatch(/^Missing: model\.layers\.2\.self_attn\.q_proj\.weight, .* and 5 more\.$/);
  });

  it.each([
    [{ hidden_size: 0 }, /hidden_size must be a whole number/],
    [{ hidden_size: '8' }, /hidden_size must be a whole number/],
    [{ num_hidden_layers: 1e9 }, /more than any model has/],
    [{ num_attention_heads: 3, num_key_value_heads: 3 }, /no multiple of num_attention_heads/],
    [{ num_key_value_heads: 3 }, /no multiple of num_key_value_heads/],
  ])('that makes no sense fails: %j', (change, detail) => {
    expect(checkConfig({ ...config, ...change }, found)).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(detail),
    });
  });

  it.each([
    [{}, /names no model_type/],
    [{ model_type: 'mamba' }, /family "mamba"/],
    [{ ...config, quantization_config: { quant_method: 'hqq' } }, /quantised by "hqq"/],
  ])('of an unknown kind is skipped with the reason: %j', (other, detail) => {
    expect(checkConfig(other, found)).toMatchObject({ outcome: 'skipped', detail: expect.stringMatching(detail) });
  });

  it('needs no head for words where the words are tied, or the model is for something else', () => {
    const headless = found.filter(({ name }) => name !== 'lm_head.weight');
    const other = { ...config, architectures: ['LlamaForSequenceClassification'] };
    const score = { name: 'score.weight', dtype: 'BF16', shape: [3, 8] };
    expect(checkConfig(config, headless).outcome).toBe('failed');
    expect(checkConfig({ ...config, tie_word_embeddings: true }, headless).outcome).toBe('passed');
    expect(checkConfig(other, [...headless, score]).outcome).toBe('passed');
  });

  it('of any content is answered', () => {
    const values = fc.oneof(fc.jsonValue(), fc.constantFrom(-1, 0, 1e300, Number.NaN, null, true, [], {}));
    const keys = fc.constantFrom(...Object.keys(config), 'head_dim', 'quantization_config', 'text_config', '__proto__');
    fc.assert(
      fc.property(
        fc.dictionary(keys, values),
        fc.constantFrom(...Object.values(FAMILY_MODELS).map((one) => one.config.model_type)),
        (given, type) => {
          const { check, outcome } = checkConfig({ ...config, ...given, model_type: type }, found);
          expect(check).toBe('config');
          expect(['passed', 'failed', 'warning', 'skipped']).toContain(outcome);
        },
      ),
      { numRuns: runs(500) },
    );
  });
});
