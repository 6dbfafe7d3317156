import { ConfigProblem, type ConfigReader } from '../config-reader.ts';
import type { FamilyLayout, LayoutRow } from '../types.ts';

/** The sizes that models which generate text have. */
export interface DecoderSizes {
  readonly hidden: number;
  readonly inner: number;
  readonly layers: number;
  readonly vocabulary: number;
  /** Outputs of the projection of queries: heads by the size of a head. */
  readonly queries: number;
  /** Of those of keys and values, which several heads may share. */
  readonly keys: number;
  readonly headSize: number;
}

/** What a family has where a configuration says nothing. Source: the configuration classes of transformers. */
export interface DecoderDefaults {
  readonly hidden: number;
  readonly inner: number;
  readonly layers: number;
  readonly vocabulary: number;
  readonly heads: number;
  /** Undefined for as many as there are heads. */
  readonly keyHeads?: number | undefined;
  /** Undefined for the hidden size, divided by the heads. */
  readonly headSize?: number | undefined;
}

/** @throws ConfigProblem */
export function decoderSizes(config: ConfigReader, defaults: DecoderDefaults): DecoderSizes {
  const hidden = config.count('hidden_size', defaults.hidden);
  const heads = config.count('num_attention_heads', defaults.heads);
  const given = config.optionalCount('num_attention_heads') !== undefined;
  const keyHeads = config.count('num_key_value_heads', (given ? undefined : defaults.keyHeads) ?? heads);
  if (keyHeads > heads || heads % keyHeads !== 0) {
    throw new ConfigProblem(`num_attention_heads (${heads}) is no multiple of num_key_value_heads (${keyHeads}).`);
  }
  const headSize = config.count('head_dim', defaults.headSize ?? hidden / heads);
  if (!Number.isInteger(headSize)) {
    throw new ConfigProblem(`hidden_size (${hidden}) is no multiple of num_attention_heads (${heads}).`);
  }
  return {
    ...{ hidden, headSize, queries: heads * headSize, keys: keyHeads * headSize },
    inner: config.count('intermediate_size', defaults.inner),
    layers: config.layers('num_hidden_layers', defaults.layers),
    vocabulary: config.count('vocab_size', defaults.vocabulary),
  };
}

/** A layer's part that multiplies, with its bias where it has one. */
export function linear(name: string, outputs: number, inputs: number, bias: boolean): LayoutRow[] {
  const weight = { name: `${name}.weight`, shape: [outputs, inputs] };
  return bias ? [weight, { name: `${name}.bias`, shape: [outputs] }] : [weight];
}

/** A normalisation, with its bias where it has one. */
export function norm(name: string, size: number, bias = false): LayoutRow[] {
  const weight = { name: `${name}.weight`, shape: [size] };
  return bias ? [weight, { name: `${name}.bias`, shape: [size] }] : [weight];
}

/** The attention of most families. */
export function attention(
  { hidden, queries, keys }: DecoderSizes,
  bias: { readonly input: boolean; readonly output: boolean },
): LayoutRow[] {
  return [
    ...linear('layers.{i}.self_attn.q_proj', queries, hidden, bias.input),
    ...linear('layers.{i}.self_attn.k_proj', keys, hidden, bias.input),
    ...linear('layers.{i}.self_attn.v_proj', keys, hidden, bias.input),
    ...linear('layers.{i}.self_attn.o_proj', hidden, queries, bias.output),
  ];
}

/** The gated network behind it. */
export function gatedNetwork({ hidden, inner }: DecoderSizes, bias = false): LayoutRow[] {
  return [
    ...linear('layers.{i}.mlp.gate_proj', inner, hidden, bias),
    ...linear('layers.{i}.mlp.up_proj', inner, hidden, bias),
    ...linear('layers.{i}.mlp.down_proj', hidden, inner, bias),
  ];
}

/** The words going in, and the normalisation of what comes out. */
function decoderEnds({ hidden, vocabulary }: DecoderSizes): LayoutRow[] {
  return [{ name: 'embed_tokens.weight', shape: [vocabulary, hidden] }, ...norm('norm', hidden)];
}

/** What turns it into words. Where it is tied to the words going in, writers leave it out, or write it twice. */
function wordsHead({ hidden, vocabulary }: DecoderSizes, isTied: boolean): LayoutRow[] {
  return [{ name: 'lm_head.weight', shape: [vocabulary, hidden], isOptional: isTied }];
}

/** Older versions saved the frequencies of the positions with the weights. */
const OLD_BUFFERS = [/\.rotary_emb\.inv_freq$/, /\.attn\.(?:masked_)?bias$/];

/** What models that generate words share, around their layers. @param isTied - whether the head is tied where nothing is said */
export function decoderLayout(
  config: ConfigReader,
  sizes: DecoderSizes,
  layer: readonly LayoutRow[],
  isTied = false,
): FamilyLayout {
  return {
    prefixes: ['model.', ''],
    layers: sizes.layers,
    layer,
    once: decoderEnds(sizes),
    head: wordsHead(sizes, config.flag('tie_word_embeddings', isTied)),
    known: OLD_BUFFERS,
  };
}
