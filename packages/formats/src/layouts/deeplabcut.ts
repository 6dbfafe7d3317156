import { readText } from '../documents/document.ts';
import { numberIn, readIfThere, readRows } from '../documents/run-documents.ts';
import { at, mergeScalars, type Scalars, toScalars, toText } from '../documents/scalars.ts';
import { baseName } from '../file-names.ts';
import { factsOf } from './facts.ts';
import type { Layout, ModelFile, ModelFolder } from './types.ts';
import { readTrainingFacts } from './weights-facts.ts';

/** `snapshot-200.pt`, `snapshot-best-190.pt`, `snapshot-detector-best-190.pt`, `snapshot-100000.index` and so on. */
const SNAPSHOT = /^(.*\/)?(snapshot(?:-detector)?)-(best-)?(\d+)\.(pt|index|meta|data-\d{5}-of-\d{5}|pb|pbtxt)$/;
const LAST_LOG_BYTES = 64 * 1024;

interface Snapshot {
  readonly path: string;
  /** Which network it is of: with a detector there are two. */
  readonly network: string;
  readonly isBest: boolean;
  readonly number: number;
}

/**
 * A network of DeepLabCut, 2 with TensorFlow or 3 with PyTorch: the folder of a shuffle, or the `train/` in it.
 * Sources: deeplabcut/pose_estimation_tensorflow/core/predict.py, deeplabcut/pose_estimation_pytorch/runners/snapshots.py
 */
export const deeplabcut: Layout = {
  async recognise(folder) {
    const configFile = ['pytorch_config.yaml', 'train/pytorch_config.yaml', 'pose_cfg.yaml', 'train/pose_cfg.yaml']
      .map((path) => folder.file(path))
      .find((file) => file !== undefined);
    if (configFile === undefined) return undefined;
    const snapshots = folder.files.map(({ path }) => toSnapshot(path)).filter((found) => found !== undefined);
    const kept = keptOf(snapshots);
    const checkpoint = checkpointOf(folder, kept);
    if (checkpoint === undefined) return undefined;
    const config = await readIfThere(configFile);
    const ofWeights = checkpoint.path.endsWith('.pt') ? await readTrainingFacts(checkpoint, folder) : {};
    const facts = factsOf(checkpoint, {
      modelType: 'deeplabcut',
      framework: checkpoint.path.endsWith('.pb') ? 'deeplabcut-live' : 'deeplabcut',
      backbone: toText(at(config, 'net_type')),
      metrics: mergeScalars(await statsOf(folder), ofWeights.metrics ?? {}),
      hyperparameters: toScalars([
        ...['num_joints', 'global_scale', 'batch_size', 'method'].map((name) => [name, at(config, name)] as const),
        ['epochs', at(config, 'train_settings', 'epochs')],
        ['batch_size', at(config, 'train_settings', 'batch_size')],
        ['learning_rate', at(config, 'runner', 'optimizer', 'params', 'lr')],
      ]),
      versions: ofWeights.versions ?? {},
      configPath: configFile.path,
    });
    const isEarlier = (path: string) => toSnapshot(path) !== undefined && !kept.some((one) => isOf(one, path));
    return { facts, leaveOut: (path) => (isEarlier(path) ? 'an earlier snapshot of the training' : undefined) };
  },
};

function toSnapshot(path: string): Snapshot | undefined {
  const [found, , network, best, number] = SNAPSHOT.exec(path) ?? [];
  if (found === undefined || network === undefined) return undefined;
  return { path, network, isBest: best !== undefined, number: Number(number) };
}

/** Whether a file is a part of a snapshot: with TensorFlow it has three. */
function isOf(snapshot: Snapshot, path: string): boolean {
  const { network, isBest, number } = toSnapshot(path) ?? {};
  return network === snapshot.network && isBest === snapshot.isBest && number === snapshot.number;
}

/** Of each network the best and the last: by number, since as text 50000 is after 100000. */
function keptOf(snapshots: readonly Snapshot[]): Snapshot[] {
  const groups = new Map<string, Snapshot>();
  for (const snapshot of snapshots) {
    const key = `${snapshot.network} ${snapshot.isBest}`;
    if (snapshot.number > (groups.get(key)?.number ?? -1)) groups.set(key, snapshot);
  }
  return [...groups.values()];
}

/** The best before the last, and the network of the pose before that of its detector. */
function checkpointOf(folder: ModelFolder, kept: readonly Snapshot[]): ModelFile | undefined {
  const rank = ({ network, isBest }: Snapshot) => (network === 'snapshot' ? 0 : 2) + (isBest ? 0 : 1);
  for (const snapshot of [...kept].sort((a, b) => rank(a) - rank(b))) {
    const files = folder.files.filter(({ path }) => isOf(snapshot, path));
    const found =
      files.find(({ path }) => /\.(pt|index)$/.test(path)) ?? files.find(({ path }) => path.endsWith('.pb'));
    if (found !== undefined) return found;
  }
  return undefined;
}

async function statsOf(folder: ModelFolder): Promise<Scalars> {
  const file = folder.files.find(({ path }) => baseName(path) === 'learning_stats.csv');
  if (file === undefined) return {};
  const rows = await readRows(file);
  const last = rows.at(-1);
  if (last !== undefined && Object.hasOwn(last, 'step')) {
    return toScalars([
      ['last_epoch', numberIn(last, 'step')],
      ['final_train_loss', numberIn(last, 'losses/train.total_loss')],
      ['final_val_loss', numberIn(last, 'losses/eval.total_loss')],
      ['test_rmse', numberIn(last, 'metrics/test.rmse')],
      ['test_map', numberIn(last, 'metrics/test.map')],
    ]);
  }
  // With TensorFlow the table has no head: iteration, loss, learning rate.
  const text = await readText(file, LAST_LOG_BYTES);
  const [iteration, loss] = (text.trim().split('\n').at(-1) ?? '').split(',').map(Number);
  return toScalars([
    ['global_step', iteration],
    ['final_train_loss', loss],
  ]);
}
