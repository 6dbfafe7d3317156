import { describe, expect, it } from '@jest/globals';
import { examineWeights } from '@model-rtc/formats/validation';
import { concatBytes } from '@noble/hashes/utils.js';
import { nodeInflate } from '../bytes/node-inflate.ts';
import { ggufText, u32, u64 } from '../chunks/make-files.ts';
import { file } from '../completeness/make-models.ts';

const LAYER = ['attn_norm', 'attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_norm', 'ffn_gate', 'ffn_up', 'ffn_down'];
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  attn_norm: [8],
  attn_q: [8, 8],
  attn_k: [4, 8],
  attn_v: [4, 8],
  attn_output: [8, 8],
  ffn_norm: [8],
  ffn_gate: [12, 8],
  ffn_up: [12, 8],
  ffn_down: [8, 12],
};
const TENSORS: readonly (readonly [string, readonly number[]])[] = [
  ['token_embd.weight', [5, 8]],
  ['output_norm.weight', [8]],
  ...[0, 1].flatMap((i) => LAYER.map((name) => [`blk.${i}.${name}.weight`, SHAPES[name] as number[]] as const)),
];
const KEYS: Readonly<Record<string, number>> = {
  'llama.block_count': 2,
  'llama.embedding_length': 8,
  'llama.feed_forward_length': 12,
  'llama.attention.head_count': 4,
  'llama.attention.head_count_kv': 2,
};

/** A GGUF file of numbers of 32 bits, all of them 0. */
function gguf(tensors = TENSORS, keys = KEYS): Uint8Array {
  const words = concatBytes(u32(9), u32(8), u64(5), ...['a', 'b', 'c', 'd', 'e'].map(ggufText));
  const values = [
    concatBytes(ggufText('general.architecture'), u32(8), ggufText('llama')),
    concatBytes(ggufText('tokenizer.ggml.tokens'), words),
    ...Object.entries(keys).map(([key, value]) => concatBytes(ggufText(key), u32(4), u32(value))),
  ];
  let at = 0;
  const infos = tensors.map(([name, shape]) => {
    const sides = [...shape].reverse();
    const info = concatBytes(ggufText(name), u32(sides.length), ...sides.map(u64), u32(0), u64(at));
    at += Math.ceil((4 * sides.reduce((a, b) => a * b, 1)) / 32) * 32;
    return info;
  });
  const magic = Uint8Array.of(0x47, 0x47, 0x55, 0x46);
  const header = concatBytes(magic, u32(3), u64(tensors.length), u64(values.length), ...values, ...infos);
  return concatBytes(header, new Uint8Array((32 - (header.length % 32)) % 32), new Uint8Array(at));
}

async function config(bytes: Uint8Array) {
  const { results } = await examineWeights([file('m.gguf', bytes)], { inflate: nodeInflate });
  return results.find(({ check }) => check === 'config');
}

describe('the keys of a GGUF file', () => {
  it('fit its tensors', async () => {
    expect(await config(gguf())).toMatchObject({ outcome: 'passed', detail: '20 tensors fit the keys of llama.' });
  });

  it.each([
    ['more blocks than there are', gguf(TENSORS, { ...KEYS, 'llama.block_count': 3 }), /blk\.2 is missing/],
    ['fewer blocks than there are', gguf(TENSORS, { ...KEYS, 'llama.block_count': 1 }), /blk\.1 is there/],
    [
      'a part that is missing',
      gguf(TENSORS.filter(([name]) => name !== 'blk.1.attn_v.weight')),
      /blk\.1\.attn_v\.weight is missing/,
    ],
    [
      'another size of words',
      gguf(TENSORS, { ...KEYS, 'llama.embedding_length': 16 }),
      /token_embd\.weight is \[5, 8\]/,
    ],
    [
      'another size inside',
      gguf(TENSORS, { ...KEYS, 'llama.feed_forward_length': 13 }),
      /ffn_gate\.weight is \[12, 8\] and should be \[13, 8\]/,
    ],
    [
      'more words than tokens',
      gguf(
        TENSORS.map(([name, shape]): readonly [string, readonly number[]] => [
          name,
          name === 'token_embd.weight' ? [6, 8] : shape,
        ]),
      ),
      /token_embd\.weight is \[6, 8\] and should be \[5, 8\]/,
    ],
  ])('with %s do not', async (_, bytes, detail) => {
    expect(await config(bytes)).toMatchObject({ outcome: 'failed', detail: expect.stringMatching(detail) });
  });
});
