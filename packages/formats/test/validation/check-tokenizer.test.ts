import { describe, expect, it } from '@jest/globals';
import { checkTokenizer } from '@model-rtc/formats/validation';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { file } from '../completeness/make-models.ts';

const CONFIG = { vocab_size: 12, bos_token_id: 0, eos_token_id: [1], pad_token_id: -1 };

function bpe(change: object = {}, model: object = {}) {
  const vocab = { a: 2, b: 3, ab: 4, H: 5, e: 6, l: 7, o: 8, Ġ: 9 };
  return {
    version: '1.0',
    added_tokens: [
      { id: 0, content: '<s>', special: true },
      { id: 1, content: '</s>', special: true },
    ],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab, merges: ['a b'], unk_token: null, ...model },
    ...change,
  };
}

async function check(files: Readonly<Record<string, object | string | Uint8Array>>, config: object = CONFIG) {
  const made = Object.entries(files).map(([path, content]) =>
    file(path, typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content)),
  );
  return await checkTokenizer(made, config as Readonly<Record<string, unknown>>);
}

/** A SentencePiece model: pieces of a text, a score and a kind. */
function pieces(...texts: string[]): Uint8Array {
  return concatBytes(
    ...texts.map((text) => {
      const bytes = utf8ToBytes(text);
      const piece = concatBytes(Uint8Array.of(0x0a, bytes.length), bytes, Uint8Array.of(0x15, 0, 0, 0, 0));
      return concatBytes(Uint8Array.of(0x0a, piece.length), piece);
    }),
  );
}

describe('a tokenizer', () => {
  it('that fits its model loads and cuts a text', async () => {
    const found = await check({ 'tokenizer.json': bpe(), 'tokenizer_config.json': {} });
    expect(found).toEqual({
      check: 'tokenizer',
      outcome: 'passed',
      detail: 'tokenizer.json: BPE with 8 tokens, loads and cuts a text.',
    });
  });

  it('that the model does not have is skipped', async () => {
    expect(await check({ 'config.json': CONFIG })).toMatchObject({ outcome: 'skipped' });
  });

  it.each([
    ['is no JSON', '{', /no JSON object/],
    ['is a list', '[]', /no JSON object/],
    ['has no vocabulary', bpe({}, { vocab: {} }), /no vocabulary/],
    ['is of a kind that is none', bpe({}, { type: 'Magic' }), /"Magic", which does not exist/],
    ['merges words that it does not have', bpe({}, { merges: ['a b', 'a z'] }), /1 of its merges .*"a z/],
    ['gives two words one id', bpe({}, { vocab: { a: 1, b: 1, ab: 2 } }), /the id of another word/],
    ['gives an added token another id', bpe({ added_tokens: [{ id: 1, content: 'a' }] }), /"a" has the id 1, and 2/],
    [
      'gives two added tokens one id',
      bpe({
        added_tokens: [
          { id: 1, content: 'x' },
          { id: 1, content: 'y' },
        ],
      }),
      /"x" and "y" have the same id 1/,
    ],
  ])('that %s fails', async (_, json, detail) => {
    expect(await check({ 'tokenizer.json': json })).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(detail),
    });
  });

  it('with an id beyond the model fails, and with an added one there warns', async () => {
    const word = await check({ 'tokenizer.json': bpe() }, { vocab_size: 9 });
    expect(word).toMatchObject({ outcome: 'failed', detail: expect.stringMatching(/the id 9, .* ends before 9/) });
    const added = await check({
      'tokenizer.json': bpe({ added_tokens: [{ id: 12, content: '<pad>', special: true }] }),
    });
    expect(added).toMatchObject({ outcome: 'warning', detail: expect.stringMatching(/added token 12/) });
  });

  it('whose special tokens are beyond the model fails', async () => {
    const found = await check({ 'tokenizer.json': bpe() }, { ...CONFIG, eos_token_id: [1, 12] });
    expect(found).toMatchObject({ outcome: 'failed', detail: expect.stringMatching(/eos_token_id is "12"/) });
  });

  it('warns where its files give one id two meanings, and where the library cannot load it', async () => {
    const settings = { added_tokens_decoder: { 1: { content: '<end>' } } };
    const differs = await check({ 'tokenizer.json': bpe(), 'tokenizer_config.json': settings });
    expect(differs).toMatchObject({ outcome: 'warning', detail: expect.stringMatching(/"<end>", and "<\/s>" in/) });
    const odd = await check({ 'tokenizer.json': bpe({ pre_tokenizer: { type: 'Odd' } }) });
    expect(odd).toMatchObject({ outcome: 'warning', detail: expect.stringMatching(/does not load/) });
  });

  it.each([
    ['tokenizer.model', pieces('<s>', 'a', 'b'), 'tokenizer.model: 3 pieces.'],
    ['tokenizer.model', 'IQ== 0\nIg== 1\n', 'tokenizer.model: 2 pieces.'],
    ['vocab.txt', '[PAD]\n[UNK]\nmouse\n', 'vocab.txt: 3 words.'],
    ['vocab.json', { a: 0, b: 1 }, 'vocab.json: 2 words.'],
  ])('in %s is read', async (name, content, detail) => {
    expect(await check({ [name]: content })).toEqual({ check: 'tokenizer', outcome: 'passed', detail });
  });

  it.each([
    ['tokenizer.model', pieces('a', 'b', 'c'), /3 pieces, and the model's vocabulary has 2/],
    ['tokenizer.model', 'not one', /no SentencePiece model/],
    ['tokenizer.model', pieces('abc').subarray(0, 6), /no SentencePiece model/],
    ['vocab.txt', 'a\nb\nc\n', /3 words/],
    ['vocab.json', { a: 0, b: 2 }, /the id 2/],
  ])('in %s fails where it does not fit', async (name, content, detail) => {
    expect(await check({ [name]: content }, { vocab_size: 2 })).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(detail),
    });
  });
});
