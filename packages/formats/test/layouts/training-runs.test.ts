import { describe, expect, it } from '@jest/globals';
import { type LayoutMatch, recogniseFile, recogniseFolder, toFolder } from '@model-rtc/formats/layouts';
import { ModelRtcError } from '@model-rtc/protocol';
import fc from 'fast-check';
import { sample } from '../../../../test/support/model-samples.ts';
import { runs } from '../../../../test/support/runs.ts';
import { nodeInflate as inflate } from '../bytes/node-inflate.ts';
import { raw, unicode } from '../code/read-samples.ts';
import { memoryFile } from './memory-files.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

const inMemory = (files: Files) => Object.entries(files).map(([path, content]) => memoryFile(path, content));

async function recognise(files: Files, location = 'memory', around: Readonly<Record<string, Files>> = {}) {
  const folder = toFolder(
    location,
    inMemory(files),
    { inflate },
    { around: async (path) => inMemory(around[path] ?? {}) },
  );
  return await recogniseFolder(folder, { typeIsKnown: false });
}

const leftOut = ({ leaveOut }: LayoutMatch, files: Files) => Object.keys(files).filter((path) => leaveOut?.(path));

describe('a run of Ultralytics', () => {
  const ARGS = 'task: segment\nname: train2\nmodel: yolo11n-seg.pt\nepochs: 3\nimgsz: 640\n';
  const RESULTS = 'epoch, metrics/mAP50(B), metrics/mAP50-95(B)\n1, 0.5, 0.2\n2, 0.7, 0.4\n3, 0.6, 0.3\n4, 0.9';

  it('is named for the run, with the figures of its best epoch', async () => {
    const files = { 'args.yaml': ARGS, 'results.csv': RESULTS, 'weights/last.pt': 'x', 'weights/best.pt': 'x' };
    expect((await recognise(files)).facts).toMatchObject({
      modelType: 'segment',
      runName: 'train2',
      checkpointPath: 'weights/best.pt',
      backbone: 'yolo11n-seg.pt',
      metrics: { best_epoch: 2, map50: 0.7, map50_95: 0.4, last_epoch: 3 },
      hyperparameters: { epochs: 3, imgsz: 640 },
    });
  });

  it('lends its name to a file whose own says nothing, and to no other', async () => {
    const settings = ['task', 'pose', 'name', 'train2', 'imgsz', '640'].map(unicode);
    const value = raw('\x80\x02}(', unicode('train_args'), '}(', ...settings, 'uu.');
    const number = Buffer.from('8a0a6cfc9c46f9206aa850192e', 'hex');
    const weights = raw('\x80\x02', number, '\x80\x02M\xe9\x03.', '\x80\x02}.', value, '\x80\x02].');
    const named = async (path: string) => await recogniseFile(memoryFile(path, weights), { inflate });
    expect(await named('best.pt')).toMatchObject({ framework: 'ultralytics', modelType: 'pose', runName: 'train2' });
    expect(await named('yolo11n.pt')).toMatchObject({ framework: 'ultralytics', runName: undefined });
    expect(await named('best.bin')).toMatchObject({ framework: 'file' });
  });

  it('may be of YOLOv5, which calls its settings otherwise', async () => {
    const files = { 'opt.yaml': 'weights: yolov5s.pt\nname: exp3\n', 'weights/best.pt': 'x' };
    expect((await recognise(files)).facts).toMatchObject({ framework: 'yolov5', runName: 'exp3' });
  });

  it('is not every folder with settings and weights', async () => {
    const { facts } = await recognise({ 'args.yaml': 'lr: 0.1\n', 'weights/best.pt': 'x', 'weights/epoch3.pt': 'x' });
    expect(facts.framework).not.toBe('ultralytics');
  });
});

describe('a run of Lightning', () => {
  const table = 'epoch,step,train_loss,val_loss\n0,1,,0.5\n0,1,0.9,\n1,2,,0.25\n';

  it('has the best checkpoint by the score in its name, and leaves out earlier ones', async () => {
    const files = {
      'hparams.yaml': 'lr: 0.01\nmodel:\n  width: 16\nobject: !!python/object:a.B {x: 1}\n',
      'metrics.csv': table,
      'checkpoints/epoch=1-val_loss=0.50.ckpt': 'x',
      'checkpoints/epoch=2-val_loss=0.25.ckpt': 'x',
      'checkpoints/epoch=3-val_loss=0.40.ckpt': 'x',
      'checkpoints/last.ckpt': 'x',
    };
    const match = await recognise(files);
    expect(match.facts).toMatchObject({
      checkpointPath: 'checkpoints/epoch=2-val_loss=0.25.ckpt',
      hyperparameters: { lr: 0.01, 'model.width': 16 },
      metrics: { best_val_loss: 0.25 },
    });
    expect(leftOut(match, files)).toEqual(['checkpoints/epoch=1-val_loss=0.50.ckpt']);
  });

  it('knows that a higher accuracy is better', async () => {
    const files = {
      'hparams.yaml': '{}',
      'checkpoints/epoch=1-val_acc=0.9.ckpt': 'x',
      'checkpoints/epoch=2-val_acc=0.8.ckpt': 'x',
    };
    expect((await recognise(files)).facts.checkpointPath).toBe('checkpoints/epoch=1-val_acc=0.9.ckpt');
  });

  it('has the one that the last remembers as the best, whatever folder it was in', async () => {
    const best = raw('}(', unicode('best_model_path'), unicode('/gpu/run/checkpoints/epoch=1.ckpt'), 'u');
    const callbacks = raw('}(', unicode("ModelCheckpoint{'monitor': 'val'}"), best, 'u');
    const value = raw('\x80\x02}(', unicode('callbacks'), callbacks, unicode('state_dict'), '}u.');
    const number = Buffer.from('8a0a6cfc9c46f9206aa850192e', 'hex');
    const last = raw('\x80\x02', number, '\x80\x02M\xe9\x03.', '\x80\x02}.', value, '\x80\x02].');
    const files = { 'checkpoints/epoch=1.ckpt': last, 'checkpoints/epoch=2.ckpt': last, 'checkpoints/last.ckpt': last };
    const { facts } = await recognise(files);
    expect(facts.checkpointPath).toBe('checkpoints/epoch=1.ckpt');
    expect(Object.keys(facts)).not.toContain('bestPath');
  });

  it('may have a checkpoint in shards, which is a folder', async () => {
    const shards = 'checkpoints/epoch=1-step=5.ckpt';
    const files = { 'hparams.yaml': 'lr: 1', [`${shards}/.metadata`]: 'x', [`${shards}/__0_0.distcp`]: 'x' };
    expect((await recognise(files)).facts).toMatchObject({
      framework: 'torch-distributed',
      modelType: 'torch',
      checkpointPath: `${shards}/.metadata`,
    });
  });

  it('keeps all checkpoints when nothing tells which is the best', async () => {
    const files = {
      'checkpoints/epoch=1.ckpt': 'x',
      'checkpoints/epoch=10.ckpt': 'x',
      'checkpoints/epoch=9.ckpt': 'x',
    };
    const match = await recognise(files);
    expect(match.facts.checkpointPath).toBe('checkpoints/epoch=10.ckpt');
    expect(leftOut(match, files)).toEqual([]);
  });

  it('goes by a hub configuration where there is one', async () => {
    const files = {
      'config.json': '{"model_type":"bert"}',
      'model.ckpt': sample('torchZip'),
      'checkpoints/a.ckpt': 'x',
    };
    expect((await recognise(files)).facts.framework).toBe('hub');
  });
});

describe('a model of MLflow', () => {
  const MODEL =
    'flavors:\n  python_function: {loader_module: x}\n  pytorch: {model_data: data, pytorch_version: 2.3.0}\n';

  it("has the run's name, metrics and parameters, which lie above it", async () => {
    const files = { MLmodel: MODEL, 'data/model.pth': 'x', 'data/pickle_module_info.txt': 'x' };
    const around = {
      '../..': { 'meta.yaml': 'run_name: bold-mouse\n' },
      '../../metrics': { val_acc: '1 0.5 0\n2 0.75 1\n', broken: 'nothing' },
      '../../params': { lr: '0.1', optimizer: 'adam' },
    };
    expect((await recognise(files, 'm', around)).facts).toMatchObject({
      modelType: 'pytorch',
      runName: 'bold-mouse',
      checkpointPath: 'data/model.pth',
      metrics: { val_acc: 0.75 },
      hyperparameters: { lr: 0.1, optimizer: 'adam' },
      versions: { pytorch_version: '2.3.0' },
    });
  });

  it('is a model by itself too, and names no file outside of it', async () => {
    const files = { MLmodel: 'flavors: {sklearn: {pickled_model: ../../etc/passwd}}', 'model.pkl': 'x' };
    expect((await recognise(files)).facts).toMatchObject({ modelType: 'sklearn', checkpointPath: 'model.pkl' });
  });
});

describe('a trained nnU-Net', () => {
  const PLANS = '{"dataset_name":"Dataset001_Mouse","configurations":{"2d":{"patch_size":[64,32],"batch_size":4}}}';
  const files = { 'plans.json': PLANS, 'dataset.json': '{}', 'fold_1/checkpoint_final.pth': 'x' };

  it('is named for data set and configuration, and for trainer and plans that are not the default', async () => {
    const named = async (folder: string) => (await recognise(files, `/x/${folder}`)).facts.runName;
    expect(await named('nnUNetTrainer__nnUNetPlans__2d')).toBe('Dataset001_Mouse-2d');
    expect(await named('nnUNetTrainerV3__nnUNetResEncL__2d')).toBe('Dataset001_Mouse-2d-nnUNetTrainerV3-nnUNetResEncL');
    expect(await named('renamed')).toBe('Dataset001_Mouse');
  });

  it('has the mean score of its folds, whose cases stay out', async () => {
    const summary = (dice: number) => JSON.stringify({ foreground_mean: { Dice: dice } });
    const aside = inMemory({
      'fold_0/validation/summary.json': summary(0.5),
      'fold_1/validation/summary.json': summary(0.75),
    });
    const folder = toFolder('/x/a__b__2d', inMemory(files), { inflate }, { aside });
    const { facts } = await recogniseFolder(folder, { typeIsKnown: false });
    expect(facts.metrics).toMatchObject({ mean_dice: 0.625 });
    expect(facts.hyperparameters).toMatchObject({ patch_size: '64 × 32', batch_size: 4 });
  });

  it('falls back to the best checkpoint when no fold is finished', async () => {
    const unfinished = { 'plans.json': PLANS, 'dataset.json': '{}', 'fold_0/checkpoint_best.pth': 'x' };
    expect((await recognise(unfinished)).facts.checkpointPath).toBe('fold_0/checkpoint_best.pth');
  });
});

describe('a network of DeepLabCut', () => {
  it('keeps the best and the last of pose and detector', async () => {
    const files = {
      'train/pytorch_config.yaml': 'net_type: top_down_hrnet_w32\nmethod: td\n',
      'train/snapshot-050.pt': 'x',
      'train/snapshot-100.pt': 'x',
      'train/snapshot-best-070.pt': 'x',
      'train/snapshot-detector-050.pt': 'x',
      'train/snapshot-detector-100.pt': 'x',
      'train/snapshot-detector-best-90.pt': 'x',
    };
    const match = await recognise(files);
    expect(match.facts).toMatchObject({
      modelType: 'deeplabcut',
      backbone: 'top_down_hrnet_w32',
      checkpointPath: 'train/snapshot-best-070.pt',
    });
    expect(leftOut(match, files)).toEqual(['train/snapshot-050.pt', 'train/snapshot-detector-050.pt']);
  });

  it('may be exported for DeepLabCut-Live', async () => {
    const { facts } = await recognise({ 'pose_cfg.yaml': 'net_type: resnet_50', 'snapshot-700000.pb': 'x' });
    expect(facts).toMatchObject({ framework: 'deeplabcut-live', checkpointPath: 'snapshot-700000.pb' });
  });
});

describe('a checkpoint of DeepSpeed', () => {
  const states = (tag: string) => ({
    [`${tag}/mp_rank_00_model_states.pt`]: 'x',
    [`${tag}/zero_pp_rank_0_mp_rank_00_optim_states.pt`]: 'x',
  });

  it('is what latest names, and the last by number where it names nothing', async () => {
    const files = { 'zero_to_fp32.py': '', ...states('global_step50'), ...states('global_step100') };
    const match = await recognise(files);
    expect(match.facts.checkpointPath).toBe('global_step100/mp_rank_00_model_states.pt');
    expect(leftOut(match, files)).toEqual(Object.keys(states('global_step50')));
    const named = await recognise({ ...files, latest: 'global_step50\n' });
    expect(named.facts.checkpointPath).toBe('global_step50/mp_rank_00_model_states.pt');
  });
});

describe('a checkpoint of the Trainer with DeepSpeed', () => {
  const states = { latest: 'global_step5', 'zero_to_fp32.py': '', 'global_step5/mp_rank_00_model_states.pt': 'xx' };

  it('is the weights beside its states, which go', async () => {
    const files = { 'config.json': '{"model_type":"llama"}', 'pytorch_model.bin': 'x', ...states };
    const match = await recognise(files);
    expect(match.facts.checkpointPath).toBe('pytorch_model.bin');
    expect(leftOut(match, files)).toEqual(Object.keys(states));
  });

  it('keeps the states where the weights are nowhere else', async () => {
    const files = { 'config.json': '{"model_type":"llama"}', ...states };
    expect(leftOut(await recognise(files), files)).toEqual([]);
  });
});

describe('broken and hostile files of a run', () => {
  const RUNS: readonly Files[] = [
    { 'args.yaml': 'task: pose\nname: a\n', 'results.csv': 'epoch,metrics/mAP50(B)\n1,0.5\n', 'weights/best.pt': 'x' },
    { 'hparams.yaml': 'lr: 1\n', 'metrics.csv': 'epoch,val_loss\n1,2\n', 'checkpoints/a.ckpt': 'x' },
    { '.hydra/config.yaml': 'a: {b: 1}\n', 'model.ckpt': 'x' },
    { MLmodel: 'flavors: {sklearn: {pickled_model: model.pkl}}\n', 'model.pkl': 'x' },
    { 'plans.json': '{"dataset_name":"a"}', 'dataset.json': '{}', 'fold_0/checkpoint_final.pth': 'x' },
    { 'pose_cfg.yaml': 'net_type: a\n', 'learning_stats.csv': '1,2,3\n', 'snapshot-1.pt': 'x' },
    { latest: 'global_step1', 'zero_to_fp32.py': '', 'global_step1/mp_rank_00_model_states.pt': 'x' },
    { '.metadata': 'x', '__0_0.distcp': 'x' },
  ];

  /** What a run is taken for, or the refusal; anything else fails the test. */
  async function outcome(files: Files): Promise<LayoutMatch | ModelRtcError> {
    try {
      return await recognise(files);
    } catch (thrown) {
      if (thrown instanceof ModelRtcError) return thrown;
      throw thrown;
    }
  }

  it('end a file of settings anywhere, and the weights are still a model', async () => {
    for (const files of RUNS) {
      for (const [path, content] of Object.entries(files)) {
        if (typeof content !== 'string' || content === 'x') continue;
        for (let length = 0; length <= content.length; length++) {
          const found = await outcome({ ...files, [path]: content.slice(0, length) });
          if (found instanceof ModelRtcError) expect(found.code).toBe('bad_argument');
          else expect(Object.keys(files)).toContain(found.facts.checkpointPath);
        }
      }
    }
  });

  it('are any bytes, and give facts that an entry can hold or a refusal', async () => {
    const content = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ maxLength: 300 }), fc.json());
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...RUNS), fc.nat(), content, async (files, which, bytes) => {
        const paths = Object.keys(files);
        const found = await outcome({ ...files, [paths[which % paths.length] as string]: bytes });
        if (found instanceof ModelRtcError) return;
        for (const value of Object.values({ ...found.facts.metrics, ...found.facts.hyperparameters })) {
          expect(['number', 'string', 'boolean']).toContain(typeof value);
        }
        expect(found.facts.modelType).toMatch(/^[a-z0-9][a-z0-9_-]*$/);
      }),
      { numRuns: runs(300) },
    );
  });

  it('count without end, and cost no more than their limits', async () => {
    const columns = Array.from({ length: 5000 }, (_, i) => `metrics/${i}`).join(',');
    const settings = Array.from({ length: 20_000 }, (_, i) => `k${i}: ${i}`).join('\n');
    const many = await recognise({ 'hparams.yaml': settings, 'metrics.csv': columns, 'checkpoints/a.ckpt': 'x' });
    expect(Object.keys(many.facts.hyperparameters).length).toBeLessThanOrEqual(64);
    const huge = `snapshot-${'9'.repeat(400)}.pt`;
    const { facts } = await recognise({ 'pose_cfg.yaml': 'a: 1', 'snapshot-1.pt': 'x', [huge]: 'x' });
    expect(facts.checkpointPath).toBe(huge);
  });
});
