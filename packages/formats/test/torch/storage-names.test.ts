import { describe, expect, it } from '@jest/globals';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import { pickledTensorNames } from '../../src/torch/storage-names.ts';
import { entryDataStart, readZipDirectory } from '../../src/zip/zip-directory.ts';
import { arrayReader } from '../bytes/readers.ts';
import { readFixture } from '../chunks/fixtures.ts';
import { u32 } from '../chunks/make-files.ts';

const text = (value: string) => concatBytes(utf8ToBytes('X'), u32(value.length), utf8ToBytes(value));
const code = (value: string) => utf8ToBytes(value);
const PROTO = Uint8Array.of(0x80, 2);

/** `torch._utils._rebuild_tensor_v2(('storage', torch.FloatStorage, key, 'cpu', 1), 0)`, as protocol 2 writes it. */
function tensor(key: string): Uint8Array {
  const id = concatBytes(
    code('('),
    text('storage'),
    code('ctorch\nFloatStorage\n'),
    text(key),
    text('cpu'),
    code('K\x01t'),
  );
  return concatBytes(code('ctorch._utils\n_rebuild_tensor_v2\n('), id, code('QK\x00tR'));
}

/** The walk of `{name: tensor, ...}`. */
function namesOf(...items: Uint8Array[]): Record<string, string> {
  return Object.fromEntries(pickledTensorNames(concatBytes(PROTO, code('}('), ...items, code('u.'))));
}

describe('pickledTensorNames', () => {
  it('names each storage by the key of its tensor', () => {
    expect(namesOf(text('enc.0.weight'), tensor('0'), text('enc.0.bias'), tensor('1'))).toEqual({
      '0': 'enc.0.weight',
      '1': 'enc.0.bias',
    });
  });

  it('keeps the first name of a storage that two tensors share', () => {
    expect(namesOf(text('embed'), tensor('0'), text('head'), tensor('0'))).toEqual({ '0': 'embed' });
  });

  it('follows texts that the memo repeats', () => {
    const remembered = concatBytes(text('a.b'), code('q\x05'), code('K\x01'));
    expect(namesOf(remembered, code('h\x05'), tensor('7'))).toEqual({ '7': 'a.b' });
  });

  it('gives what it found until an unknown opcode', () => {
    const items = concatBytes(code('('), text('w'), tensor('0'), code('u'));
    expect(Object.fromEntries(pickledTensorNames(concatBytes(PROTO, code('}'), items, Uint8Array.of(0xff))))).toEqual({
      '0': 'w',
    });
  });

  it('does not look through the arguments of a call again and again', () => {
    const manyArguments = concatBytes(code('('), new Uint8Array(500_000).fill(0x4e), code('tq\x00'));
    const calls = code('h\x00R'.repeat(1_000_000));
    expect(pickledTensorNames(concatBytes(PROTO, manyArguments, calls)).size).toBe(0);
  });

  it('never throws and never runs on, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(20), (bytes, at) => {
        const valid = concatBytes(PROTO, code('}('), text('w'), tensor('0'), code('u.'));
        const mixed = concatBytes(valid.subarray(0, at), bytes);
        expect(pickledTensorNames(mixed).size).toBeLessThanOrEqual(mixed.length);
      }),
      { numRuns: runs(500) },
    );
  });
});

describe('the pickle of a real torch checkpoint', () => {
  it('names all its tensors', async () => {
    const reader = arrayReader(readFixture('good-mouse-v1/best.ckpt'));
    const pickle = (await readZipDirectory(reader))?.entries.find(({ name }) => name === 'best/data.pkl');
    if (pickle === undefined) throw new Error('the fixture has no pickle');
    const names = pickledTensorNames(await reader.read(await entryDataStart(reader, pickle), pickle.size));
    expect(Object.fromEntries(names)).toMatchObject({
      '0': 'model.encoder.0.weight',
      '5': 'model.encoder.2.bias',
      '6': 'model.decoder.0.weight',
      '11': 'model.head.bias',
      '12': 'best_model_score',
    });
  });
});
