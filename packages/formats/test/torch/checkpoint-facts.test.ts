import { describe, expect, it } from '@jest/globals';
import { listTensors } from '@model-rtc/formats';
import { zip } from '../../../../test/support/make-zip.ts';
import { type SampleName, sample } from '../../../../test/support/model-samples.ts';
import { readCheckpointFacts } from '../../src/torch/checkpoint-facts.ts';
import { nodeInflate as inflate } from '../bytes/node-inflate.ts';
import { arrayReader } from '../bytes/readers.ts';
import { raw, unicode } from '../code/read-samples.ts';

/** One checkpoint of Lightning, saved in each of torch's formats. */
const CHECKPOINTS: readonly SampleName[] = ['torchZip', 'torchDeflated', 'torchLegacy'];

describe('readCheckpointFacts', () => {
  it.each(CHECKPOINTS)('reads what Lightning saved, without running it (%s)', async (name) => {
    const facts = await readCheckpointFacts(arrayReader(sample(name)), { inflate });
    const metrics = Object.fromEntries(facts?.metrics ?? []);
    expect(metrics).toMatchObject({ checkpoint_epoch: 7, global_step: 840 });
    expect(Object.fromEntries(facts?.hyperparameters ?? [])).toEqual({
      lr: 0.001,
      layers: 3,
      name: 'unet',
      flag: true,
      'optim.decay': 0.01,
      path: '/data/mouse',
    });
    expect(facts?.versions).toContainEqual(['lightning_version', '2.5.0']);
    expect(facts?.bestPath).toBe('/x');
  });

  it.each<SampleName>(['torchZip', 'torchLegacy'])('reads a score that is kept as a tensor (%s)', async (name) => {
    const facts = await readCheckpointFacts(arrayReader(sample(name)), { inflate });
    const metrics = Object.fromEntries(facts?.metrics ?? []);
    expect(metrics).toMatchObject({ best_model_score: 0.125, best_val_loss: 0.125 });
  });

  it('tells nothing of files that torch did not write', async () => {
    for (const bytes of [sample('joblibEvil'), sample('npzNumbers'), sample('h5Plain'), raw('weights'), raw('')]) {
      expect(await readCheckpointFacts(arrayReader(bytes), { inflate })).toBeUndefined();
    }
  });

  it('tells nothing of an archive whose directory has its pickle go past the end', async () => {
    const bytes = zip({ 'a/data.pkl': raw('\x80\x02}.') });
    const directory = bytes.indexOf('PK\x01\x02', 0, 'latin1');
    bytes.writeUInt32LE(bytes.length, directory + 20);
    expect(await readCheckpointFacts(arrayReader(bytes), { inflate })).toBeUndefined();
    expect(await listTensors(arrayReader(bytes), { inflate })).toEqual([]);
  });

  it('takes the numbers of a training script and the arguments of argparse', async () => {
    const namespace = raw('cargparse\nNamespace\n)\x81}(', unicode('batch'), 'K\x08', unicode('self'), 'h\x00ub');
    const value = raw(
      '}q\x00(',
      unicode('best_acc'),
      'G\x3f\xe0\x00\x00\x00\x00\x00\x00',
      unicode('args'),
      namespace,
      'u.',
    );
    const number = Buffer.from('8a0a6cfc9c46f9206aa850192e', 'hex');
    const legacy = raw('\x80\x02', number, '\x80\x02M\xe9\x03.', '\x80\x02}.', '\x80\x02', value, '\x80\x02].');
    const facts = await readCheckpointFacts(arrayReader(legacy), { inflate });
    expect(facts?.metrics).toContainEqual(['best_acc', 0.5]);
    expect(facts?.hyperparameters).toContainEqual(['batch', 8]);
    // A value that refers to itself is not gone through for ever.
    expect(facts?.hyperparameters.length).toBeLessThan(5);
  });
});

describe('listTensors', () => {
  it.each<SampleName>(['torchZip', 'torchLegacy'])(
    'lists the tensors of the model and not those of its optimizer (%s)',
    async (name) => {
      const bytes = sample(name);
      const tensors = await listTensors(arrayReader(bytes), { inflate });
      expect(tensors.map(({ start: _, ...tensor }) => tensor)).toEqual([
        { name: 'model.w', dtype: 'F32', shape: [2, 3], bytes: 24, layout: '' },
        { name: 'model.t', dtype: 'F32', shape: [3, 2], bytes: 24, layout: '1,3' },
        { name: 'model.b', dtype: 'BF16', shape: [2], bytes: 4, layout: '' },
      ]);
      const [w] = tensors;
      const start = w?.start ?? 0;
      const floats = new DataView(Uint8Array.from(bytes.subarray(start, start + 24)).buffer);
      expect(Array.from({ length: 6 }, (_, i) => floats.getFloat32(4 * i, true))).toEqual([0, 1, 2, 3, 4, 5]);
    },
  );

  it('lists none where storages are compressed, and none of other files', async () => {
    for (const name of ['torchDeflated', 'npzNumbers', 'h5Plain', 'evilProtocol4'] as const) {
      expect(await listTensors(arrayReader(sample(name)), { inflate })).toEqual([]);
    }
  });
});
