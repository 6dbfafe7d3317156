import { describe, expect, it } from '@jest/globals';
import { findFlaws } from '@model-rtc/formats/layouts';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { runs } from '../../../../test/support/runs.ts';
import { nodeInflate } from '../bytes/node-inflate.ts';
import { sparseReader } from '../bytes/readers.ts';
import { filled, ggufText, makeGguf, makeSafetensors, u32 } from '../chunks/make-files.ts';
import { externalTensor, file, makeDcpMetadata, makeMlmodel, makeOnnx, makeTensorflowIndex } from './make-models.ts';

const SHARD = makeSafetensors([{ name: 'a', bytes: filled(30, 1) }]);
const PART = makeGguf([{ name: 'a', bytes: filled(30, 1) }], { 'split.count': [4, u32(3)] });
const shard = (number: number, total: number) =>
  file(`model-${String(number).padStart(5, '0')}-of-${String(total).padStart(5, '0')}.safetensors`, SHARD);

/** The paths of what a model lacks. */
async function lacks(...files: Parameters<typeof findFlaws>[0]): Promise<string[]> {
  return (await findFlaws(files, { inflate: nodeInflate })).map(({ path }) => path);
}

const index = (path: string, ...names: string[]) =>
  file(path, JSON.stringify({ weight_map: Object.fromEntries(names.map((name, i) => [`layer.${i}`, name])) }));

describe('a model in shards', () => {
  it('is whole with all that its index names', async () => {
    const named = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    expect(await lacks(index('model.safetensors.index.json', ...named), shard(1, 2), shard(2, 2))).toEqual([]);
  });

  it('lacks a shard that its index names, also in a folder', async () => {
    expect(
      await lacks(
        index('unet/a.safetensors.index.json', 'x.safetensors', 'y.safetensors'),
        file('unet/x.safetensors', SHARD),
      ),
    ).toEqual(['unet/y.safetensors']);
  });

  it('lacks the others when one is there by itself', async () => {
    expect(await lacks(shard(2, 3))).toEqual(['model-00001-of-00003.safetensors', 'model-00003-of-00003.safetensors']);
  });

  it('may have the index of another format beside it', async () => {
    const ofTorch = index('pytorch_model.bin.index.json', 'pytorch_model-00001-of-00001.bin');
    expect(await lacks(ofTorch, file('model.safetensors', SHARD))).toEqual([]);
    expect(await lacks(ofTorch, file('config.json', '{}'))).toEqual(['pytorch_model-00001-of-00001.bin']);
  });

  it('has a broken index when that is no JSON', async () => {
    expect(await lacks(file('model.safetensors.index.json', '{"weight_map": {'))).toEqual([
      'model.safetensors.index.json',
    ]);
  });

  it('asks for nothing outside of its folder', async () => {
    expect(await lacks(index('a.index.json', '../../etc/passwd', '/etc/passwd', '..'), file('a.bin', 'x'))).toEqual([]);
  });

  it.each([
    ['llama.gguf.part1of2', 'llama.gguf.part2of2'],
    ['llama-00001-of-00002.gguf', 'llama-00002-of-00002.gguf'],
    ['variables.data-00000-of-00002', 'variables.data-00001-of-00002'],
  ])('lacks its other half when %s is alone', async (there, absent) => {
    const files = [
      file(there, PART),
      ...(there.includes('data') ? [file('variables.index', makeTensorflowIndex(2))] : []),
    ];
    expect(await lacks(...files)).toEqual([absent]);
  });

  it.each(['2024-05-01.bin', 'run-1-of-3.txt', 'page 1 of 12.txt', 'v1.5-of-mine.bin'])(
    'takes no number of %s for that of a part',
    async (name) => {
      expect(await lacks(file(name, 'some text'))).toEqual([]);
    },
  );

  it('is known by split.count when its parts were renamed', async () => {
    expect(await lacks(file('a.gguf', PART))).toEqual(['a.gguf']);
    expect(await lacks(file('a.gguf', PART), file('b.gguf', PART), file('c.gguf', PART))).toEqual([]);
  });

  it('names a bounded number of parts, however many are missing', async () => {
    expect((await lacks(shard(1, 99_999))).length).toBeLessThanOrEqual(64);
  });
});

describe('an ONNX file', () => {
  const model = makeOnnx(externalTensor('model.onnx_data', 0, 100), externalTensor('model.onnx_data', 128, 72));

  it('lacks the data that it names, and data that ends before its tensors', async () => {
    expect(await lacks(file('onnx/model.onnx', model))).toEqual(['onnx/model.onnx_data']);
    expect(await lacks(file('model.onnx', model), file('model.onnx_data', filled(199, 1)))).toEqual([
      'model.onnx_data',
    ]);
    expect(await lacks(file('model.onnx', model), file('model.onnx_data', filled(200, 1)))).toEqual([]);
  });

  it('names nothing outside of its folder', async () => {
    expect(await lacks(file('model.onnx', makeOnnx(externalTensor('../../secret', 0, 1))))).toEqual([]);
  });

  it('does not make the reader fail, whatever its bytes are', async () => {
    const changes = fc.array(fc.tuple(fc.nat({ max: model.length - 1 }), fc.nat({ max: 255 })), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(changes, async (made) => {
        const other = Uint8Array.from(model);
        for (const [at, value] of made) other[at] = value;
        expect(Array.isArray(await lacks(file('model.onnx', other)))).toBe(true);
      }),
      { numRuns: runs(500) },
    );
  });

  it('does not make the reader nest without end', async () => {
    // Graphs in attributes of nodes in graphs, each with the same length: longer than what it is in.
    const open = concatBytes(
      ...Array.from({ length: 100_000 }, () => Uint8Array.of(0x3a, 0x7f, 0x0a, 0x7d, 0x2a, 0x7b, 0x32, 0x79)),
    );
    expect(await lacks(file('model.onnx', open))).toEqual(['model.onnx']);
  });
});

describe('a model of OpenVINO', () => {
  const xml = '<?xml version="1.0"?>\n<net name="x"><layer><data offset="64" size="36" shape="9"/></layer></net>';

  it('has its weights in a .bin of the same name, as long as its network reads', async () => {
    expect(await lacks(file('a/x.xml', xml))).toEqual(['a/x.bin']);
    expect(await lacks(file('x.xml', xml), file('x.bin', filled(99, 1)))).toEqual(['x.bin']);
    expect(await lacks(file('x.xml', xml), file('x.bin', filled(100, 1)))).toEqual([]);
  });

  it('is not every file of XML', async () => {
    expect(await lacks(file('x.xml', '<annotation><data offset="1" size="2"/></annotation>'))).toEqual([]);
  });

  it('costs a bounded part of a file that pretends to be one', async () => {
    const huge = file('x.xml', sparseReader(10 * 1024 ** 3, [[0, utf8ToBytes(xml)]]));
    expect(await lacks(huge)).toEqual(['x.bin']);
    expect(huge.reader.readBytes).toBeLessThan(70 * 1024 ** 2);
  });
});

describe('what TensorFlow writes', () => {
  it('lacks its variables, its data or its index', async () => {
    expect(await lacks(file('1/saved_model.pb', 'x'))).toEqual(['1/variables/variables.index']);
    const index = makeTensorflowIndex(1, ['w', 0, 0, 100]);
    for (const beside of [[], [file('m.ckpt-1.meta', 'x')]]) {
      expect(await lacks(file('m.ckpt-1.index', index), ...beside)).toEqual(['m.ckpt-1.data-00000-of-00001']);
    }
    expect(await lacks(file('m.ckpt-1.data-00000-of-00001', 'x'))).toEqual(['m.ckpt-1.index']);
  });
});

describe('a checkpoint of TensorFlow', () => {
  const index = makeTensorflowIndex(2, ['a', 0, 0, 100], ['b', 1, 60, 40], ['c', 1, 0, 60]);
  const [first, second] = ['m.data-00000-of-00002', 'm.data-00001-of-00002'];

  it('is cut off where a tensor of its index goes on', async () => {
    const whole = [file('m.index', index), file(first, filled(100, 1))];
    expect(await lacks(...whole, file(second, filled(100, 1)))).toEqual([]);
    expect(await lacks(...whole, file(second, filled(99, 1)))).toEqual([second]);
    expect(await lacks(file('m.index', index), file(first, filled(99, 1)), file(second, filled(100, 1)))).toEqual([
      first,
    ]);
  });

  it('has an index that is not whole when that ends at any byte before its end', async () => {
    for (let size = 1; size < index.length; size++) {
      const files = [file('m.index', index.slice(0, size)), file(first, filled(100, 1)), file(second, filled(100, 1))];
      expect(await lacks(...files)).toEqual(['m.index']);
    }
  });

  it('is not every file with that ending', async () => {
    expect(await lacks(file('faiss.index', 'IxFI and more'), file('faiss.index.md', 'x'))).toEqual([]);
  });

  it('does not make the reader fail, whatever the bytes of its index are', async () => {
    const changes = fc.array(fc.tuple(fc.nat({ max: index.length - 1 }), fc.nat({ max: 255 })), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(changes, async (made) => {
        const other = Uint8Array.from(index);
        for (const [at, value] of made) other[at] = value;
        expect(Array.isArray(await lacks(file('m.index', other), file(first, 'x'), file(second, 'x')))).toBe(true);
      }),
      { numRuns: runs(500) },
    );
  });
});

describe('a distributed checkpoint of torch', () => {
  it('is cut off where a tensor of its .metadata goes on', async () => {
    const metadata = makeDcpMetadata(['__0_0.distcp', 0, 60], ['__0_0.distcp', 60, 40], ['__1_0.distcp', 0, 100]);
    const parts = (last: number) => [file('s/__0_0.distcp', filled(100, 1)), file('s/__1_0.distcp', filled(last, 1))];
    expect(await lacks(file('s/.metadata', metadata), ...parts(100))).toEqual([]);
    expect(await lacks(file('s/.metadata', metadata), ...parts(99))).toEqual(['s/__1_0.distcp']);
    for (let size = 1; size < metadata.length; size++) {
      expect(await lacks(file('s/.metadata', metadata.slice(0, size)), ...parts(100))).toEqual(['s/.metadata']);
    }
  });

  it('lacks its .metadata, and the files that it names', async () => {
    expect(await lacks(file('s/__0_0.distcp', 'x'))).toEqual(['s/.metadata']);
    const names = ['__0_0.distcp', '__1_0.distcp', '__10_1.distcp'].map(
      (name) => `X${String.fromCharCode(name.length)}\0\0\0${name}q\x01`,
    );
    expect(await lacks(file('s/.metadata', `${names.join('')}.`), file('s/__0_0.distcp', 'x'))).toEqual([
      's/__10_1.distcp',
      's/__1_0.distcp',
    ]);
  });
});

describe('a model of several folders', () => {
  it('lacks what a package of Core ML lists, and what a compiled one reads', async () => {
    const items = { a: { path: 'com.apple.CoreML/model.mlmodel' }, b: { path: 'com.apple.CoreML/weights' } };
    const manifest = file('Manifest.json', JSON.stringify({ rootModelIdentifier: 'a', itemInfoEntries: items }));
    const specification = file('Data/com.apple.CoreML/model.mlmodel', makeMlmodel());
    expect(await lacks(manifest, specification)).toEqual(['Data/com.apple.CoreML/weights']);
    const program = file('model.mil', 'BLOBFILE(path = string("@model_path/weights/weight.bin"), offset = 64)');
    expect(await lacks(file('coremldata.bin', 'x'), program)).toEqual(['weights/weight.bin']);
    expect(await lacks(file('coremldata.bin', 'x'), program, file('weights/weight.bin', 'x'))).toEqual([]);
  });

  it('lacks a part of a pipeline whose folder is not there', async () => {
    const parts = { _class_name: 'P', unet: ['diffusers', 'U'], vae: ['diffusers', 'V'], safety_checker: [null, null] };
    const index = file('model_index.json', JSON.stringify(parts));
    const config = file('unet/config.json', '{}');
    expect(await lacks(index, config, file('unet/model.bin', 'x'))).toEqual(['vae/']);
    expect(await lacks(index, config, file('vae/config.json', '{}'), file('vae/model.bin', 'x'))).toEqual(['unet/']);
  });

  it('lacks a module of sentence-transformers that has settings', async () => {
    const modules = ['', '1_Pooling', '2_Normalize'].map((path) => ({
      path,
      type: `x.models.${path.slice(2) || 'Transformer'}`,
    }));
    expect(await lacks(file('modules.json', JSON.stringify(modules)))).toEqual(['1_Pooling/']);
  });

  it('lacks the plans of nnU-Net above its folds', async () => {
    expect(await lacks(file('t/fold_0/checkpoint_final.pth', 'x'), file('t/plans.json', '{}'))).toEqual([
      't/dataset.json',
    ]);
  });

  it('lacks the states that `latest` of DeepSpeed names, and a rank between others', async () => {
    const states = (rank: number, kind: string) => file(`g/zero_pp_rank_${rank}_mp_rank_00_${kind}_states.pt`, 'x');
    const latest = file('latest', 'g\n');
    expect(await lacks(latest, states(0, 'optim'))).toEqual(['g/mp_rank_00_model_states.pt']);
    expect(await lacks(latest, states(0, 'model'), states(0, 'optim'), states(2, 'optim'))).toEqual([
      'g/zero_pp_rank_1_mp_rank_00_optim_states.pt',
    ]);
  });

  it.each(['model_index.json', 'modules.json', 'x.index.json', 'latest', '.metadata', 'a.xml'])(
    'does not fail on any content of %s',
    async (path) => {
      await fc.assert(
        fc.asyncProperty(fc.oneof(fc.json(), fc.string()), async (content) => {
          expect(Array.isArray(await lacks(file(path, content), file('zero_to_fp32.py', 'x')))).toBe(true);
        }),
      );
    },
  );
});

it('is named once, whatever is wrong with it, and in a list of bounded length', async () => {
  const many = Array.from({ length: 200 }, (_, i) => file(`m${i}.safetensors`, ''));
  const flaws = await findFlaws(many, { inflate: nodeInflate });
  expect(flaws).toHaveLength(64);
  expect(await lacks(file('a.gguf', ggufText('x')))).toEqual(['a.gguf']);
});
