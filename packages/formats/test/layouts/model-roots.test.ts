import { describe, expect, it } from '@jest/globals';
import { modelRoots } from '@model-rtc/formats/layouts';
import fc from 'fast-check';

const rootsOf = (...paths: string[]) => modelRoots(paths).map(({ kind, path }) => `${kind} ${path || '.'}`);

describe('modelRoots', () => {
  it.each<[string, string[], string[]]>([
    ['three GGUF files', ['a.gguf', 'b.gguf', 'README.md'], ['file a.gguf', 'file b.gguf']],
    ['two Keras files', ['a.keras', 'b.keras'], ['file a.keras', 'file b.keras']],
    ['a GGUF file with its projector', ['a.gguf', 'mmproj-a.gguf'], ['weights .']],
    ['the shards of one', ['a-00001-of-00002.gguf', 'a-00002-of-00002.gguf'], ['weights .']],
    ['the shards of two', ['a-1-of-02.gguf', 'a-2-of-02.gguf', 'b.gguf'], ['file a-1-of-02.gguf', 'file b.gguf']],
    [
      'folders of hub models',
      ['x/config.json', 'x/m.safetensors', 'y/config.json', 'y/m.safetensors'],
      ['model x', 'model y'],
    ],
    ['a GGUF file beside a hub model', ['a.gguf', 'x/config.json', 'x/m.safetensors'], ['file a.gguf', 'model x']],
    ['a LoRA beside a tokenizer', ['a.safetensors', 'tokenizer/config.json'], ['weights .']],
    [
      'weights beside the checkpoints of their training',
      ['a.safetensors', 'checkpoint-9/config.json', 'checkpoint-9/m.safetensors'],
      ['weights .'],
    ],
    ['a pipeline', ['model_index.json', 'unet/m.safetensors', 'vae/m.safetensors'], ['model .']],
    ['two files of PyTorch', ['a.pt', 'b.pt', 'notes.md'], ['file a.pt', 'file b.pt']],
    ['two estimators', ['mouse.joblib', 'rat.joblib'], ['file mouse.joblib', 'file rat.joblib']],
    ['two ONNX files in a folder', ['x/a.onnx', 'x/b.onnx'], ['file x/a.onnx', 'file x/b.onnx']],
    ['weights that may go together', ['encoder.pt', 'decoder.pt'], ['weights .']],
    ['a network with its encoder', ['resnet.onnx', 'resnet_text_encoder.onnx'], ['weights .']],
    ['an estimator with what scales its inputs', ['mouse.joblib', 'scaler.joblib'], ['weights .']],
    ['checkpoints of a training', ['mouse-best.pt', 'mouse-last.pt', 'mouse-epoch9.pt'], ['weights .']],
    ['one network in two formats', ['mouse.onnx', 'mouse.pt'], ['weights .']],
    ['nothing', ['README.md'], []],
    ['a project without weights', ['lightning_logs/version_0/hparams.yaml'], []],
    ['a run with its checkpoints', ['checkpoints/a.ckpt', 'checkpoints/b.ckpt'], ['run .']],
    [
      'the versions of a project',
      ['train.py', 'lightning_logs/version_0/hparams.yaml', 'lightning_logs/version_0/checkpoints/a.ckpt'],
      ['run lightning_logs/version_0'],
    ],
    [
      'runs beside the weights that they began with',
      ['yolo11n.pt', 'runs/detect/train/args.yaml', 'runs/detect/train/weights/best.pt'],
      ['file yolo11n.pt', 'run runs/detect/train'],
    ],
    [
      'runs of a project with a config.json',
      ['config.json', 'outputs/d/t/.hydra/config.yaml', 'outputs/d/t/model.ckpt'],
      ['run outputs/d/t'],
    ],
    [
      'a folder of checkpoints beside other runs',
      ['checkpoints/a.ckpt', 'runs/train/args.yaml', 'runs/train/weights/best.pt'],
      ['weights checkpoints', 'run runs/train'],
    ],
    [
      'a training by DeepSpeed in a folder of checkpoints',
      ['checkpoints/epoch=1.ckpt/checkpoint/mp_rank_00_model_states.pt', 'checkpoints/epoch=1.ckpt/latest'],
      ['run checkpoints/epoch=1.ckpt'],
    ],
    [
      'a project whose files only end like those of a model',
      ['labels.xml', 'search.index', 'args.yaml', 'a/runs/train/args.yaml', 'a/runs/train/weights/best.pt', 'b/x.onnx'],
      ['run a/runs/train', 'weights b'],
    ],
    ['a sharded checkpoint', ['step-10/.metadata', 'step-10/__0_0.distcp'], ['run step-10']],
    [
      'shuffles of DeepLabCut',
      ['i/s1/train/pose_cfg.yaml', 'i/s1/train/snapshot-1.pt', 'i/s2/train/pytorch_config.yaml', 'i/s2/train/s.pt'],
      ['run i/s1', 'run i/s2'],
    ],
    [
      'a network of TensorFlow, whose weights have no extension',
      [
        'dlc-models/iteration-0/s1/train/pose_cfg.yaml',
        'dlc-models/iteration-0/s1/train/snapshot-5.data-00000-of-00001',
      ],
      ['run dlc-models/iteration-0/s1'],
    ],
    ['a trainer of nnU-Net', ['t/plans.json', 't/fold_0/checkpoint_final.pth'], ['run t']],
    [
      'a model of MLflow',
      ['mlruns/0/r/artifacts/model/MLmodel', 'mlruns/0/r/artifacts/model/model.pkl'],
      ['run mlruns/0/r/artifacts/model'],
    ],
  ])('finds what a folder holds: %s', (_, paths, roots) => {
    expect(rootsOf(...paths)).toEqual(roots);
  });

  it('finds, in any folder, models that hold weights and are not inside one another', () => {
    const folders = ['a', 'runs', 'checkpoints', 'train', '.hydra', 'fold_0', 'logs', 'global_step1', '__proto__'];
    const names = [
      'x.pt',
      'm.gguf',
      'config.json',
      'args.yaml',
      'a.distcp',
      'plans.json',
      'pose_cfg.yaml',
      'README.md',
    ];
    const path = fc
      .tuple(fc.array(fc.constantFrom(...folders), { maxLength: 6 }), fc.constantFrom(...names))
      .map(([parents, name]) => [...parents, name].join('/'));
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 40 }), (paths) => {
        const roots = modelRoots(paths);
        const inside = (root: string) =>
          paths.filter((one) => root === '' || one === root || one.startsWith(`${root}/`));
        for (const root of roots) {
          expect(inside(root.path).some((one) => /\.(pt|gguf|distcp)$/.test(one))).toBe(true);
          const others = roots.filter((other) => other !== root);
          expect(others.filter(({ path: other }) => inside(root.path).includes(other))).toEqual([]);
        }
        expect(roots.length > 0).toBe(paths.some((one) => /\.(pt|gguf|distcp)$/.test(one)));
      }),
    );
  });

  it('goes through 200,000 files in one pass', () => {
    const paths = Array.from({ length: 200_000 }, (_, i) => `data/${i % 500}/${i % 7}/picture-${i}.png`);
    expect(modelRoots([...paths, 'run/args.yaml', 'run/weights/best.pt'])).toEqual([{ path: 'run', kind: 'run' }]);
  });
});
