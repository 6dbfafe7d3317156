import type { ConfigReader } from './config-reader.ts';
import type { FoundTensor } from './types.ts';

/** A tensor in place of a weight: what its name has behind the layer's name, and its shape where that is sure. */
interface QuantPart {
  readonly suffix: string;
  readonly shape?: readonly number[] | undefined;
}

/** How a tool writes the weight of a layer in fewer bits. */
export interface QuantScheme {
  readonly name: string;
  /** What must be there in place of a weight with these outputs and inputs; undefined where it keeps its name and its shape. */
  readonly parts?: ((outputs: number, inputs: number) => readonly QuantPart[]) | undefined;
  /** What may be there beside it, behind the layer's name. */
  readonly extra: RegExp;
}

/** `unknown`: the configuration names one that is not known here. */
export type FoundScheme = QuantScheme | undefined | { readonly unknown: string };

/** How the weights of a model are quantised by its configuration; undefined for weights as they were trained. */
export function schemeOf(config: ConfigReader): FoundScheme {
  const settings =
    config.part('quantization_config') ?? config.part('compression_config') ?? config.part('quantization');
  if (settings === undefined) return undefined;
  const method = settings.text('quant_method') ?? (config.part('quantization') === undefined ? 'unnamed' : 'mlx');
  const make = Object.hasOwn(SCHEMES, method) ? SCHEMES[method] : undefined;
  return make === undefined ? { unknown: method } : make(settings);
}

const INT_BITS = 32;

const SCHEMES: Readonly<Record<string, (settings: ConfigReader) => QuantScheme>> = {
  // Source: transformers, `integrations/bitsandbytes.py`; bitsandbytes, `functional.py` (QuantState).
  bitsandbytes: () => ({
    name: 'bitsandbytes',
    parts: (outputs, inputs) => [{ suffix: 'weight', shape: [Math.ceil((outputs * inputs) / 2), 1] }],
    extra: /^(?:weight\.(?:absmax|quant_map|nested_absmax|nested_quant_map|quant_state\..+)|SCB|weight_format)$/,
  }),
  // Source: AutoGPTQ, `nn_modules/qlinear`.
  gptq(settings) {
    const bits = settings.count('bits', 4);
    const groups = groupsBy(settings);
    return {
      name: 'gptq',
      parts: (outputs, inputs) => [
        { suffix: 'qweight', shape: [(inputs * bits) / INT_BITS, outputs] },
        { suffix: 'qzeros', shape: [groups(inputs), (outputs * bits) / INT_BITS] },
        { suffix: 'scales', shape: [groups(inputs), outputs] },
      ],
      extra: /^(?:g_idx|bias)$/,
    };
  },
  // Source: AutoAWQ, `modules/linear`; the kinds beside `gemm` lay their numbers out in other ways.
  awq(settings) {
    const bits = settings.count(['bits', 'w_bit'], 4);
    const groups = groupsBy(settings);
    const isSure = (settings.text('version') ?? 'gemm').toLowerCase() === 'gemm';
    const sure = (shape: readonly number[]) => (isSure ? shape : undefined);
    return {
      name: 'awq',
      parts: (outputs, inputs) => [
        { suffix: 'qweight', shape: sure([inputs, (outputs * bits) / INT_BITS]) },
        { suffix: 'qzeros', shape: sure([groups(inputs), (outputs * bits) / INT_BITS]) },
        { suffix: 'scales', shape: sure([groups(inputs), outputs]) },
      ],
      extra: /^bias$/,
    };
  },
  fp8: () => ({ name: 'fp8', extra: FP8_EXTRA }),
  fbgemm_fp8: () => ({ name: 'fbgemm_fp8', extra: FP8_EXTRA }),
  modelopt: () => ({ name: 'modelopt', extra: FP8_EXTRA }),
  // Packed formats have the names of here; others keep the weight.
  'compressed-tensors': () => ({
    name: 'compressed-tensors',
    parts: () => [{ suffix: 'weight_packed' }, { suffix: 'weight_scale' }],
    extra:
      /^(?:weight_(?:scale|shape|zero_point|g_idx|global_scale)|(?:input|output|[kv])_(?:scale|zero_point|global_scale))$/,
  }),
  // Source: mlx, `nn/layers/quantized.py`; its words going in are quantised too.
  mlx(settings) {
    const bits = settings.count('bits', 4);
    const size = settings.count('group_size', 64);
    return {
      name: 'mlx',
      parts: (outputs, inputs) => [
        { suffix: 'weight', shape: [outputs, (inputs * bits) / INT_BITS] },
        { suffix: 'scales', shape: [outputs, inputs / size] },
      ],
      extra: /^biases$/,
    };
  },
};

const FP8_EXTRA = /^(?:(?:weight|input|output|activation|[kv])_scale(?:_inv|_ub)?|input_scale_ub)$/;

/** How many groups of inputs have a scale each. A size of -1 stands for one group. */
function groupsBy(settings: ConfigReader): (inputs: number) => number {
  let size: number | undefined;
  try {
    size = settings.optionalCount(['group_size', 'q_group_size']);
  } catch {
    size = undefined;
  }
  return (inputs) => (size === undefined ? 1 : Math.ceil(inputs / size));
}

/** What a quantised weight is found as. */
export interface QuantisedWeight {
  /** The parts that are not there, by their names. */
  readonly missing: readonly string[];
  readonly wrong: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly expected: readonly number[];
  }[];
}

/** Looks for a layer's weight as the scheme writes it. @param layer - with the dot behind it */
export function findQuantised(
  { parts }: QuantScheme,
  layer: string,
  [outputs = 0, inputs = 0]: readonly number[],
  find: (name: string) => FoundTensor | undefined,
): QuantisedWeight {
  const missing: string[] = [];
  const wrong: { name: string; shape: readonly number[]; expected: readonly number[] }[] = [];
  for (const { suffix, shape } of parts?.(outputs, inputs) ?? []) {
    const found = find(layer + suffix);
    // Widths that do not fill whole numbers are rounded in one way here and in another there.
    const isSure = shape?.every(Number.isInteger) === true;
    if (found === undefined) missing.push(layer + suffix);
    else if (isSure && shape !== undefined && found.shape.join() !== shape.join()) {
      wrong.push({ name: found.name, shape: found.shape, expected: shape });
    }
  }
  return { missing, wrong };
}
