import { describe, expect, it } from '@jest/globals';
import { createReadBudget, MODEL_READ_LIMITS } from '@model-rtc/formats';
import { planConversion } from '@model-rtc/formats/convert';
import { zip } from '../../../../test/support/make-zip.ts';
import { readTensors } from '../../../../test/support/safetensors-reader.ts';
import {
  dict,
  number,
  stateDict,
  storage,
  type TensorToPickle,
  tensor,
  torchLegacy,
  torchZip,
} from '../../../../test/support/torch-maker.ts';
import { nodeInflate as inflate } from '../bytes/node-inflate.ts';
import { arrayReader } from '../bytes/readers.ts';
import { raw, unicode } from '../code/read-samples.ts';
import { convertBytes } from './read-converted.ts';

const W: TensorToPickle = { name: 'w', type: 'FloatStorage', key: '0', offset: 0, shape: [2, 3], stride: [3, 1] };
const BYTES = Buffer.alloc(24, 1);
const whole = torchZip(stateDict([W]), { 0: BYTES });

const refused: readonly (readonly [string, Buffer, string])[] = [
  ['lacks a storage', torchZip(stateDict([W]), {}), 'its storage "0" is missing'],
  [
    'goes on behind the end of a storage',
    torchZip(stateDict([{ ...W, offset: 1 }]), { 0: BYTES }),
    'its "w" goes on behind the end of its storage',
  ],
  [
    'has sides whose product overflows',
    torchZip(stateDict([{ ...W, shape: [2 ** 52, 2 ** 52, 2 ** 52], stride: [0, 0, 0] }]), { 0: BYTES }),
    'its "w" goes on behind the end of its storage',
  ],
  [
    'has sides whose product overflows, and one of nothing',
    torchZip(stateDict([{ ...W, shape: [...Array(30).fill(2 ** 52), 0], stride: Array(31).fill(0) }]), { 0: BYTES }),
    'its "w" goes on behind the end of its storage',
  ],
  [
    'has an offset that no file has',
    torchZip(stateDict([{ ...W, offset: Number.MAX_SAFE_INTEGER }]), { 0: BYTES }),
    'its "w" goes on behind the end of its storage',
  ],
  [
    'says one value a billion times',
    torchZip(stateDict([{ ...W, shape: [1_000_000_000], stride: [0] }]), { 0: BYTES }),
    'its tensors share so much that they would take 4000000112 bytes apart',
  ],
  [
    'has names that are no text',
    torchZip(raw('}(', unicode('w'), tensor(W), number(1), tensor(W), 'u'), { 0: BYTES }),
    'its state dict has names that are no text',
  ],
  [
    'has two state dicts',
    torchZip(
      dict([
        ['model', stateDict([W])],
        ['state_dict', stateDict([W])],
      ]),
      { 0: BYTES },
    ),
    'it holds several state dicts: "state_dict", "model"',
  ],
  [
    'calls anything else',
    torchZip(
      dict([
        ['w', tensor(W)],
        ['x', raw('cos\nsystem\n(', unicode('id'), 'tR')],
      ]),
      { 0: BYTES },
    ),
    'its "x" is what os.system makes, and no tensor that is known here',
  ],
  [
    'has tensors whose values are to be negated',
    torchZip(
      dict([
        [
          'w',
          raw(
            'ctorch._utils\n_rebuild_tensor_v2\n(',
            storage('FloatStorage', '0'),
            'K\x00K\x02\x85K\x01\x85\x89}}',
            unicode('neg'),
            '\x88stR',
          ),
        ],
      ]),
      { 0: BYTES },
    ),
    'its "w" is what torch._utils._rebuild_tensor_v2 makes, and no tensor that is known here',
  ],
  [
    'has a tensor with a state',
    torchZip(dict([['w', raw(tensor(W), '}b')]]), { 0: BYTES }),
    'its "w" is what torch._utils._rebuild_tensor_v2 makes, and no tensor that is known here',
  ],
  [
    'is for a type that nobody knows',
    torchZip(stateDict([{ ...W, type: 'torch.float3' }]), { 0: BYTES }),
    'its "w" is what torch._utils._rebuild_tensor_v3 makes, and no tensor that is known here',
  ],
  [
    'calls a tensor as the metadata is called',
    torchZip(stateDict([{ ...W, name: '__metadata__' }]), { 0: BYTES }),
    'a tensor is called "__metadata__"',
  ],
  [
    'says no known byte order',
    torchZip(stateDict([W]), { 0: BYTES }, { byteorder: Buffer.from('middle') }),
    'it does not say in which order the bytes of its numbers are',
  ],
  ['is cut off', whole.subarray(0, whole.length - 30), 'no directory'],
  [
    'is of the old format and is cut off',
    torchLegacy(stateDict([W]), { 0: [6, BYTES] }).subarray(0, -1),
    'its storage "0" is missing',
  ],
  [
    'is of the old format and has a storage longer than any file',
    torchLegacy(stateDict([W]), { 0: [Number.MAX_SAFE_INTEGER, BYTES] }),
    'its storage "0" is missing',
  ],
];

describe('a file that is not as torch writes it', () => {
  it.each(refused)('is refused when it %s', async (_, bytes, problem) => {
    await expect(convertBytes(bytes)).rejects.toThrow(problem);
  });

  it('is refused when its storages are compressed', async () => {
    const bytes = Buffer.from(whole);
    const directory = bytes.lastIndexOf('PK\x01\x02', bytes.lastIndexOf('archive/data/0'), 'latin1');
    bytes.writeUInt16LE(8, directory + 10);
    await expect(convertBytes(bytes)).rejects.toThrow('its storage "0" is compressed');
  });

  it('is refused when two of its entries share bytes', async () => {
    const bytes = torchZip(stateDict([W, { ...W, name: 'v', key: '1' }]), { 0: BYTES, 1: BYTES });
    const [first, second] = ['archive/data/0', 'archive/data/1'].map((name) => bytes.lastIndexOf(name) - 4) as [
      number,
      number,
    ];
    bytes.copy(bytes, second, first, first + 4);
    await expect(convertBytes(bytes)).rejects.toThrow('its entries overlap');
  });

  it('is refused when it takes more steps than its model may', async () => {
    const budget = createReadBudget({ ...MODEL_READ_LIMITS, opcodes: 1000 });
    const many = Array.from({ length: 200 }, (_, i) => ({ ...W, name: `w${i}` }));
    const reader = arrayReader(torchZip(stateDict(many), { 0: BYTES }));
    await expect(planConversion(reader, { inflate, budget })).rejects.toThrow('have more than 1000 steps');
  });

  it('is left as it is when it is of something else', async () => {
    for (const bytes of [zip({ 'x.npy': BYTES }), BYTES, Buffer.alloc(0), raw('\x80\x02', stateDict([]), '.')]) {
      expect(await convertBytes(bytes)).toBeUndefined();
    }
  });
});

describe('what a file of torch may hold', () => {
  it('is an OrderedDict as Python 2 writes it: a list of pairs', async () => {
    const pairs = raw('](', ...['a', 'b'].map((name) => raw('](', unicode(name), tensor(W), 'e')), 'e');
    const value = raw('ccollections\nOrderedDict\n', pairs, '\x85R');
    const { tensors } = readTensors((await convertBytes(torchZip(value, { 0: BYTES })))?.file ?? Buffer.alloc(0));
    expect(Object.keys(tensors)).toEqual(['a', 'b']);
  });

  it('is a storage that is a view of another one, as before torch 0.4', async () => {
    const view = raw('(', unicode('view'), number(2), number(4), 't');
    const reference = raw(
      '(',
      unicode('storage'),
      'ctorch\nByteStorage\n',
      unicode('0'),
      unicode('cpu'),
      number(9),
      view,
      'tQ',
    );
    const made = (count: number) =>
      raw('ctorch._utils\n_rebuild_tensor\n(', reference, number(1), number(count), '\x85', number(1), '\x85tR');
    const file = (count: number) => torchLegacy(dict([['w', made(count)]]), { 0: [9, Buffer.from('012345678')] });
    const { tensors } = readTensors((await convertBytes(file(3)))?.file ?? Buffer.alloc(0));
    expect(tensors).toEqual({ w: ['U8', [3], Buffer.from('345').toString('hex')] });
    await expect(convertBytes(file(4))).rejects.toThrow('its "w" goes on behind the end of its storage');
  });

  it('is a parameter, and a tensor with attributes', async () => {
    const parameter = raw('ctorch._utils\n_rebuild_parameter\n', tensor(W), '\x88}\x87R');
    const args = raw('(', storage('FloatStorage', '0'), number(0), number(6), '\x85', number(1), '\x85\x89}t');
    const typed = raw(
      'ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\nctorch\nTensor\n',
      args,
      '}tR',
    );
    const file = torchZip(
      dict([
        ['a', parameter],
        ['b', typed],
      ]),
      { 0: BYTES },
    );
    const { tensors } = readTensors((await convertBytes(file))?.file ?? Buffer.alloc(0));
    expect([tensors.a?.[1], tensors.b?.[1]]).toEqual([[2, 3], [6]]);
  });

  it('is names that an object in JavaScript would change', async () => {
    const names = ['10', '9', '__proto__', 'constructor', 'a\u0000b\n"\\'];
    const file = torchZip(stateDict(names.map((name) => ({ ...W, name }))), { 0: BYTES });
    const { file: converted } = (await convertBytes(file)) ?? { file: Buffer.alloc(0) };
    const header = converted.subarray(8, 8 + Number(converted.readBigUInt64LE(0))).toString('utf8');
    for (const name of names) expect(header).toContain(`${JSON.stringify(name)}:{"dtype":"F32"`);
    // As the bytes of the names are ordered.
    expect(header.indexOf('"10":')).toBeLessThan(header.indexOf('"9":'));
  });
});
