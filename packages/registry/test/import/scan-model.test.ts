import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { modelEntrySchema } from '@model-rtc/protocol';
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts';
import { scanModel } from '../../src/import/scan-model.ts';
import { failureOf, writeFiles } from './folders.ts';

async function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  return await writeFiles(join(await temporaryFolder(), 'my model'), files);
}

const HEADS = 'model_config:\n  head_configs:\n    centroid: null\n    bottomup: {confmaps: {sigma: 1}}\n';

describe('scanModel on a folder', () => {
  it('says that there is no model, what it looked for, and how to take it all the same', async () => {
    const failure = await failureOf(scanModel(await folderOf({ 'notes.txt': 'x' })));
    expect(failure.code).toBe('bad_argument');
    expect(failure.message).toMatch(/There is no model at .*\.safetensors .*--as-is/);
  });

  it('names the folder when all weights are in one that is left out', async () => {
    const failure = await failureOf(scanModel(await folderOf({ 'notes.txt': 'x', 'tmp/a/best.ckpt': 'x' })));
    expect(failure.code).toBe('bad_argument');
    expect(failure.message).toMatch(/tmp was left out \(temporary files\) and holds weights/);
  });

  it('takes weights from a folder of logs, and says when it left some there', async () => {
    const logs = { 'logs/best.ckpt': 'x', 'logs/events.out.tfevents.1': 'x', 'logs/tensorboard/a.txt': 'x' };
    const alone = await scanModel(await folderOf(logs));
    expect(alone.files.map(({ path }) => path)).toEqual(['logs/best.ckpt']);
    const { files, skipped } = await scanModel(await folderOf({ ...logs, 'model.safetensors': 'x' }));
    expect(files.map(({ path }) => path)).toEqual(['model.safetensors']);
    expect(skipped).toEqual([
      { path: 'logs', reason: 'training logs, with weights that are not part of this model', bytes: 3, files: 3 },
    ]);
  });

  it('takes the settings of a run for the run, and a .pth.tar for what torch saved', async () => {
    const run = await folderOf({ 'args.yaml': 'task: pose\nname: fast', 'weights/best.pt': 'x' });
    expect(await scanModel(join(run, 'args.yaml'))).toMatchObject({ movedTo: run, suggestedAlias: 'fast' });
    const { facts, suggestedAlias } = await scanModel(
      join(await folderOf({ 'model_best.pth.tar': 'x' }), 'model_best.pth.tar'),
    );
    expect({ type: facts.modelType, suggestedAlias }).toEqual({ type: 'torch', suggestedAlias: 'my-model' });
  });

  it('finds the only run of a project, and the run around its checkpoints', async () => {
    const project = await folderOf({
      'train.py': 'x',
      'lightning_logs/version_3/hparams.yaml': 'lr: 1',
      'lightning_logs/version_3/checkpoints/last.ckpt': 'x',
    });
    const run = join(project, 'lightning_logs', 'version_3');
    for (const path of [project, join(project, 'lightning_logs'), join(run, 'checkpoints')]) {
      const { files, movedTo, suggestedAlias } = await scanModel(path);
      expect({ movedTo, suggestedAlias }).toEqual({ movedTo: run, suggestedAlias: 'my-model-version_3' });
      expect(files.map((file) => file.path)).toEqual(['checkpoints/last.ckpt', 'hparams.yaml']);
    }
    expect((await scanModel(run)).movedTo).toBeUndefined();
    expect((await scanModel(join(run, 'checkpoints'), { isExact: true })).movedTo).toBeUndefined();
  });

  it('says so for an empty folder, and for a config without weights', async () => {
    expect((await failureOf(scanModel(await temporaryFolder()))).code).toBe('bad_argument');
    expect((await failureOf(scanModel(await folderOf({ 'training_config.yaml': HEADS })))).code).toBe('bad_argument');
  });

  it('says that nothing is there', async () => {
    const failure = await failureOf(scanModel(join(await temporaryFolder(), 'missing')));
    expect(failure).toMatchObject({ code: 'not_found_locally', message: expect.stringContaining('missing') });
  });

  it('takes the head that is not null for the type', async () => {
    const { facts } = await scanModel(await folderOf({ 'training_config.yaml': HEADS, 'best.ckpt': 'x' }));
    expect(facts).toMatchObject({
      modelType: 'bottomup',
      framework: 'sleap-nn',
      hyperparameters: { confmaps_sigma: 1 },
    });
  });

  it('takes the given type in place of its own', async () => {
    const folder = await folderOf({ 'training_config.yaml': HEADS, 'best.ckpt': 'x' });
    expect((await scanModel(folder, { modelType: 'my-type' })).facts.modelType).toBe('my-type');
  });

  it('refuses a type that cannot be one and suggests another', async () => {
    const failure = await failureOf(scanModel('anywhere', { modelType: 'My Type' }));
    expect(failure).toMatchObject({ code: 'bad_argument', message: expect.stringContaining('Try "my_type"') });
  });

  it('takes a folder with weights only, by the largest of them', async () => {
    const { facts, files } = await scanModel(
      await folderOf({ 'a.onnx': 'x', 'sub/b.tflite': 'xyz', 'labels.txt': '' }),
    );
    expect(facts).toMatchObject({ modelType: 'tflite', framework: 'file', checkpointPath: 'sub/b.tflite' });
    expect(files.map(({ path }) => path)).toEqual(['a.onnx', 'labels.txt', 'sub/b.tflite']);
  });

  it('takes the license from a license file when the README has none', async () => {
    const files = {
      'config.json': '{"model_type":"Bert Model"}',
      'model.bin': 'x',
      LICENSE: 'MIT License\n\nCopyright',
    };
    const { facts } = await scanModel(await folderOf(files));
    expect(facts).toMatchObject({ modelType: 'bert_model', license: 'mit' });
  });

  it('reads lineage and a named license from the front matter of the README', async () => {
    const readme = '---\nlicense: other\nlicense_name: house\nbase_model:\n- org/one\n- org/two\n---\ntext';
    const { facts } = await scanModel(await folderOf({ 'README.md': readme, 'config.json': '{}', 'model.bin': 'x' }));
    expect(facts).toMatchObject({
      modelType: 'bin',
      license: 'house',
      lineage: { fineTunedFrom: 'org/one', parents: ['org/one', 'org/two'] },
    });
  });

  it('leaves the intermediate states of a trainer out of a hub model', async () => {
    const files = { 'config.json': '{}', 'model.safetensors': 'x', 'checkpoint-500/model.safetensors': 'xx' };
    const { files: kept, facts, skipped } = await scanModel(await folderOf(files));
    expect(kept.map(({ path }) => path)).toEqual(['config.json', 'model.safetensors']);
    expect(skipped.map(({ path }) => path)).toEqual(['checkpoint-500/model.safetensors']);
    expect(facts.checkpointPath).toBe('model.safetensors');
  });

  it('reads a config.json with the infinities that Python writes', async () => {
    const config = '{"model_type": "mamba", "hidden_size": 8, "vocab_size": NaN, "time_step_limit": [0.0, Infinity]}';
    const { facts } = await scanModel(await folderOf({ 'config.json': config, 'model.bin': 'x' }));
    expect(facts).toMatchObject({ modelType: 'mamba', hyperparameters: { hidden_size: 8 } });
  });

  it('names the model of a hub snapshot by its repository, not by its commit', async () => {
    const folder = join(await temporaryFolder(), 'models--org--Tiny-Model', 'snapshots', 'a'.repeat(40));
    await writeFiles(folder, { 'config.json': '{}', 'model.bin': 'x' });
    expect((await scanModel(folder)).suggestedAlias).toBe('Tiny-Model');
  });

  it('gives the same paths and facts wherever the folder is and whatever it is called', async () => {
    const files = { 'config.json': '{"model_type":"a"}', 'model.bin': 'x' };
    const [one, two] = [await scanModel(await folderOf(files)), await scanModel(await folderOf(files))];
    expect(one.files.map(({ path }) => path)).toEqual(two.files.map(({ path }) => path));
    expect(one.facts).toEqual(two.facts);
  });
});

describe('scanModel on a hostile configuration', () => {
  const nested = (depth: number) => `a: ${'['.repeat(depth)}${']'.repeat(depth)}`;
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]'];
  for (let i = 1; i < 12; i++) {
    const [name, before] = [String.fromCharCode(97 + i), String.fromCharCode(96 + i)];
    bomb.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join()}]`);
  }

  it.each([
    ['is a bomb of aliases', bomb.join('\n')],
    ['is broken', 'a: [1, 2\nb: }'],
    ['is no object', '- 1\n- 2'],
    ['nests without end', nested(50_000)],
    ['is larger than any configuration', `a: ${'x'.repeat(3_000_000)}`],
  ])('says that a file that %s cannot be understood, but takes the model with a given type', async (_, yaml) => {
    const folder = await folderOf({ 'training_config.yaml': yaml, 'best.ckpt': 'x' });
    const failure = await failureOf(scanModel(folder));
    expect(failure).toMatchObject({ code: 'invalid_model', message: expect.stringContaining('--model-type') });
    expect((await scanModel(folder, { modelType: 'centroid' })).facts.modelType).toBe('centroid');
  });

  it('gives only what an entry can hold, whatever the values', async () => {
    const long = 'x'.repeat(10_000);
    const config = {
      model_type: `../${long}`,
      architectures: [{ a: 1 }],
      hidden_size: { deep: [1] },
      torch_dtype: long,
      transformers_version: null,
      __proto__: { polluted: 1 },
    };
    const readme = `---\nlicense: [1, {a: b}]\nbase_model: {a: 1}\n---\n`;
    const files = { 'config.json': JSON.stringify(config), 'README.md': readme, 'model.bin': 'x' };
    const { facts } = await scanModel(await folderOf(files));
    const entry = { ...facts, id: '00000000', source: 'local-import', size: 0, fileCount: 0 };
    expect(modelEntrySchema.safeParse(entry).error).toBeUndefined();
  });

  it('does not run the tags of a YAML file', async () => {
    const yaml = `${HEADS}x: !!python/object/apply:os.system ["true"]\n`;
    expect((await scanModel(await folderOf({ 'training_config.yml': yaml, 'last.ckpt': 'x' }))).facts).toMatchObject({
      modelType: 'bottomup',
      checkpointPath: 'last.ckpt',
    });
  });
});

describe('scanModel on a file', () => {
  it.each([
    ['model.onnx', 'onnx'],
    ['Model.PT', 'torch'],
    ['weights.keras', 'keras'],
    ['weights.safetensors', 'safetensors'],
  ])('takes %s as a model of type %s', async (name, type) => {
    const folder = await writeFiles(await temporaryFolder(), { [name]: 'x', 'other.txt': '' });
    const { files, facts } = await scanModel(join(folder, name));
    expect(files.map(({ path }) => path)).toEqual([name]);
    expect(facts).toMatchObject({ modelType: type, framework: 'file', checkpointPath: name });
  });

  it('takes a file without extension whose content shows tensors', async () => {
    const header = Buffer.from('{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}');
    const length = Buffer.alloc(8);
    length.writeUInt32LE(header.length);
    const path = join(await temporaryFolder(), 'sha256-abc');
    await writeFile(path, Buffer.concat([length, header, Buffer.alloc(1)]));
    expect((await scanModel(path)).facts.modelType).toBe('safetensors');
  });

  it('refuses a file that is no weights file', async () => {
    const folder = await writeFiles(await temporaryFolder(), { 'notes.txt': 'x' });
    expect((await failureOf(scanModel(join(folder, 'notes.txt')))).code).toBe('bad_argument');
  });

  it('takes an empty weights file', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'm'));
    await writeFile(join(folder, 'm', 'empty.pt'), '');
    expect((await scanModel(join(folder, 'm'))).files[0]?.size).toBe(0);
  });
});
