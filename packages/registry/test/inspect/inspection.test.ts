import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import { sample } from '../../../../test/support/model-samples.ts';
import { rejection } from '../../../../test/support/rejection.ts';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { openRegistry, type Registry } from '../../src/index.ts';
import { installFiles, writeFiles } from '../helpers/models.ts';
import { openTestRegistry } from '../helpers/registry.ts';
import { FIXTURES } from '../import/fixtures.ts';

const SAFE = { 'model.onnx': 'graph', 'config.json': '{}' };
const CLAIM = { codeFiles: [] };

/** A registry that scans and hashes by itself, as outside of tests. */
async function ownRegistry(): Promise<Registry> {
  return await openTestRegistry({ importSteps: undefined });
}

async function modelFolders(registry: Registry): Promise<string[]> {
  return (await readdir(registry.paths.models)).filter((name) => name !== 'registry.json');
}

async function evilFolder(): Promise<string> {
  return await writeFiles(await temporaryFolder(), {
    'pytorch_model.bin': sample('torchEvil'),
    'config.json': '{"model_type":"x"}',
    'modeling_x.py': 'import os',
  });
}

describe('importing a model that runs code', () => {
  it('marks its files and names what they import', async () => {
    const registry = await ownRegistry();
    const { entry } = await registry.importModel(await evilFolder());
    expect(entry.codeFiles).toEqual([
      { path: 'modeling_x.py', suspicious: [] },
      { path: 'pytorch_model.bin', suspicious: ['posix.system'] },
    ]);
  });

  it('is refused with safeOnly, before anything is visible', async () => {
    const registry = await ownRegistry();
    const error = await rejection(registry.importModel(await evilFolder(), { safeOnly: true, copy: true }));
    expect(error).toMatchObject({ code: 'refused' });
    expect(error.message).toContain('pytorch_model.bin (imports posix.system)');
    expect(error.message).toContain('modeling_x.py');
    expect(error.details).toMatchObject({ codeFiles: [{ path: 'modeling_x.py' }, { path: 'pytorch_model.bin' }] });
    expect([await modelFolders(registry), await readdir(registry.paths.staging)]).toEqual([[], []]);
  });

  it('leaves a model of data alone, and notes that it looked', async () => {
    const registry = await ownRegistry();
    const folder = await writeFiles(await temporaryFolder(), { 'arrays.npz': sample('npzNumbers') });
    const { entry } = await registry.importModel(folder, { safeOnly: true });
    expect(entry.codeFiles).toEqual([]);
  });
});

describe('installing what another machine sent', () => {
  it('believes nobody that a model is safe, or that it is not', async () => {
    const registry = await openTestRegistry();
    const evil = await installFiles(registry, { 'a.pt': sample('torchEvil') }, { entry: CLAIM });
    expect(evil.codeFiles).toEqual([{ path: 'a.pt', suspicious: ['posix.system'] }]);
    const claimed = { codeFiles: [{ path: 'model.onnx', suspicious: ['os.system'] }] };
    expect((await installFiles(registry, SAFE, { entry: claimed, safeOnly: true })).codeFiles).toEqual([]);
  });

  it('with safeOnly refuses by content, whatever a file is called', async () => {
    const registry = await openTestRegistry();
    const files = { 'model.safetensors': sample('evilProtocol4') };
    const error = await rejection(installFiles(registry, files, { entry: CLAIM, safeOnly: true }));
    expect(error).toMatchObject({ code: 'refused', message: expect.stringContaining('model.safetensors') });
    expect(await modelFolders(registry)).toEqual([]);
  });

  it('notes it for a model that is here already and that nobody has looked into', async () => {
    const registry = await openTestRegistry();
    const { id } = await installFiles(registry, { 'a.pt': sample('torchZip') });
    await forget(registry, id);
    const again = await openRegistry({ home: registry.paths.root });
    try {
      expect((await again.resolve(id)).entry.codeFiles).toBeUndefined();
      expect((await installFiles(again, { 'a.pt': sample('torchZip') })).codeFiles).toEqual([
        { path: 'a.pt', suspicious: [] },
      ]);
    } finally {
      await again.close();
    }
  });
});

/** As an index of an earlier version has it. */
async function forget(registry: Registry, id: string): Promise<void> {
  const { readFile } = await import('node:fs/promises');
  const index = JSON.parse(await readFile(registry.paths.registryFile, 'utf8')) as {
    models: Record<string, { codeFiles?: unknown }>;
  };
  delete index.models[id]?.codeFiles;
  await writeFile(registry.paths.registryFile, JSON.stringify(index));
}

async function digestOf(registry: Registry, path: string): Promise<Digest> {
  const { entry } = await registry.importModel(path);
  if (entry.digest === undefined) throw new Error('it has no digest');
  return entry.digest;
}

describe('comparing the tensors of real models', () => {
  it('finds the unchanged ones of a fine-tune though every offset moved', async () => {
    const registry = await ownRegistry();
    const [base, tuned] = [
      await digestOf(registry, `${FIXTURES}tiny-llama`),
      await digestOf(registry, `${FIXTURES}tiny-llama-tuned`),
    ];
    const difference = await registry.compareTensors(base, tuned);
    expect(difference?.same.count).toBe(43);
    expect(difference?.changed).toHaveLength(8);
    expect(difference?.changed.every(({ name }) => name.startsWith('model.layers.3.'))).toBe(true);
    expect(difference?.changed).toContainEqual({
      file: 'model-00002-of-00002.safetensors',
      name: 'model.layers.3.mlp.up_proj.weight',
      dtype: 'BF16',
      shape: [256, 128],
      bytes: 65_536,
    });
    expect([difference?.onlyInFirst, difference?.onlyInSecond]).toEqual([[], []]);
  });

  it('compares each checkpoint of a run with its namesake', async () => {
    const registry = await ownRegistry();
    const [first, second] = [
      await digestOf(registry, `${FIXTURES}good-mouse-v1`),
      await digestOf(registry, `${FIXTURES}good-mouse-v2`),
    ];
    const difference = await registry.compareTensors(first, second);
    expect(difference?.same.count).toBe(12);
    expect(difference?.changed.map(({ file, name }) => `${file} ${name}`)).toContain('best.ckpt model.head.weight');
    expect(difference?.changed.every(({ name }) => /^model\.(decoder|head)\./.test(name))).toBe(true);
    expect(await registry.compareTensors(first, first)).toMatchObject({ same: { count: 24 }, changed: [] });
  });

  it('tells GGUF from safetensors, and nothing of HDF5', async () => {
    const registry = await ownRegistry();
    const [gguf, llama] = [
      await digestOf(registry, `${FIXTURES}tiny-gguf`),
      await digestOf(registry, `${FIXTURES}tiny-llama`),
    ];
    const difference = await registry.compareTensors(gguf, llama);
    expect(difference).toMatchObject({ same: { count: 0 }, changed: [] });
    expect(difference?.onlyInFirst).toContainEqual(
      expect.objectContaining({ name: 'blk.0.ffn_up.weight', dtype: 'F16', shape: [256, 128], bytes: 65_536 }),
    );
    const rat = await digestOf(registry, `${FIXTURES}legacy-rat-2023`);
    expect(await registry.compareTensors(rat, llama)).toBeUndefined();
  });

  it('draws from the log what it has of losses', async () => {
    const registry = await ownRegistry();
    const curves = await registry.trainingCurves(await digestOf(registry, `${FIXTURES}good-mouse-v1`));
    expect(curves.map(({ name, values }) => [name, values.length])).toEqual([
      ['train_loss', 42],
      ['val_loss', 42],
    ]);
    expect(curves[1]?.values.slice(0, 2)).toEqual([0.02631, 0.02463]);
    expect(await registry.trainingCurves(await digestOf(registry, `${FIXTURES}tiny-gguf`))).toEqual([]);
  });
});

describe('looking into registered files', () => {
  it('is refused when a file is not as it was registered', async () => {
    const registry = await openTestRegistry();
    const files = { 'a.pt': sample('torchZip') };
    const { digest, localPath } = await installFiles(registry, files);
    await utimes(join(localPath, 'a.pt'), 1, 1);
    const error = await rejection(registry.compareTensors(digest as Digest, digest as Digest));
    expect(error.code).toBe('source_changed');
  });

  it('reads the logs of Lightning and of the Trainer, with gaps where a row has no value', async () => {
    const registry = await openTestRegistry();
    const csv = 'epoch,step,train_loss_step,val_loss,lr\n0,1,0.5,,1\n0,2,,0.25,1\n1,3,nan,0.125,1\n';
    const lightning = await installFiles(registry, { 'metrics.csv': csv });
    expect(await registry.trainingCurves(lightning.digest as Digest)).toEqual([
      { name: 'train_loss_step', values: [0.5, null, null] },
      { name: 'val_loss', values: [null, 0.25, 0.125] },
    ]);
    const state = JSON.stringify({ log_history: [{ loss: 2, step: 1 }, { eval_loss: 1, step: 1 }, 'odd'] });
    const trainer = await installFiles(registry, { 'trainer_state.json': state });
    expect(await registry.trainingCurves(trainer.digest as Digest)).toEqual([
      { name: 'loss', values: [2, null] },
      { name: 'eval_loss', values: [null, 1] },
    ]);
    const broken = await installFiles(registry, { 'trainer_state.json': '{' });
    expect(await registry.trainingCurves(broken.digest as Digest)).toEqual([]);
  });

  it('reads the bytes of tensors that are no whole chunks', async () => {
    // The test's chunks are 16 bytes, whatever lies in them.
    const registry = await openTestRegistry();
    const bytes = sample('torchZip');
    const changed = Buffer.from(bytes);
    const at = bytes.indexOf(Buffer.from(new Float32Array([3, 4, 5]).buffer));
    changed.writeFloatLE(99, at);
    const first = await installFiles(registry, { 'a.pt': bytes });
    const second = await installFiles(registry, { 'a.pt': changed, 'more.txt': 'x' });
    const difference = await registry.compareTensors(first.digest as Digest, second.digest as Digest);
    expect(difference?.same.count).toBe(2);
    expect(difference?.changed.map(({ name }) => name)).toEqual(['model.w']);
  });
});
