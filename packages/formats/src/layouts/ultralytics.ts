import { bestBy, numberIn, numbersIn, readIfThere, readRows } from '../documents/run-documents.ts';
import { at, mergeScalars, type Scalars, toModelType, toScalars, toText } from '../documents/scalars.ts';
import type { Row } from '../documents/training-log.ts';
import { baseName } from '../file-names.ts';
import type { ReadOptions } from '../types.ts';
import { chooseCheckpoint } from './checkpoint-choice.ts';
import { modifiedAt, NO_FACTS } from './facts.ts';
import { nameByPath } from './model-name.ts';
import type { Layout, ModelFacts, ModelFile, ModelFolder } from './types.ts';
import { readTrainingFacts } from './weights-facts.ts';

const SETTINGS = ['epochs', 'batch', 'imgsz', 'lr0', 'optimizer', 'patience', 'seed', 'single_cls'];
const PICTURES = /^[^/]+\.(png|jpe?g)$/i;
const EARLIER = /^weights\/epoch\d+\.pt$/;
/** What a best epoch is chosen by, for each task; `(P)` is of poses, `(M)` of masks. */
const FITNESS = [
  'metrics/map50-95(p)',
  'metrics/map50-95(m)',
  'metrics/map50-95(b)',
  'metrics/map50(b)',
  'metrics/accuracy_top1',
  'metrics/map_0.5:0.95',
];

/**
 * A run of Ultralytics: `args.yaml`, `results.csv` and `weights/`. YOLOv5 and YOLOv7 write `opt.yaml` in its place.
 * Source: ultralytics/engine/trainer.py
 */
export const ultralytics: Layout = {
  async recognise(folder) {
    const settingsFile = folder.file('args.yaml') ?? folder.file('opt.yaml');
    const inWeights = folder.weights.filter(({ path }) => path.startsWith('weights/'));
    const checkpoint = chooseCheckpoint(inWeights.filter(({ path }) => path.endsWith('.pt')));
    if (settingsFile === undefined || checkpoint === undefined) return undefined;
    const settings = await readIfThere(settingsFile);
    const isOld = settingsFile.path === 'opt.yaml';
    const task = isOld ? 'yolov5' : toModelType(at(settings, 'task'));
    if (task === undefined || (isOld && at(settings, 'weights') === undefined)) return undefined;
    const ofWeights = await readTrainingFacts(checkpoint, folder);
    const facts: ModelFacts = {
      ...NO_FACTS,
      modelType: task,
      framework: isOld ? 'yolov5' : 'ultralytics',
      backbone: toText(at(settings, 'model')) ?? toText(at(settings, 'weights')),
      metrics: mergeScalars(await resultsOf(folder), ofWeights.metrics ?? {}),
      hyperparameters: settingsOf(settings),
      versions: ofWeights.versions ?? {},
      checkpointPath: checkpoint.path,
      configPath: settingsFile.path,
      completedAt: modifiedAt(checkpoint),
      runName: toText(at(settings, 'name')),
    };
    return { facts, leaveOut };
  },
  recogniseFile,
};

/** A file of weights holds the settings that it was trained with. */
async function recogniseFile(file: ModelFile, options: ReadOptions): Promise<ModelFacts | undefined> {
  if (!file.path.endsWith('.pt')) return undefined;
  const { metrics = {}, hyperparameters = {}, versions = {} } = await readTrainingFacts(file, options);
  const { task, imgsz, name, model } = hyperparameters;
  if (imgsz === undefined || toModelType(task) === undefined) return undefined;
  return {
    ...NO_FACTS,
    modelType: toModelType(task) as string,
    framework: 'ultralytics',
    backbone: toText(model),
    metrics,
    hyperparameters: settingsOf(hyperparameters),
    versions,
    checkpointPath: file.path,
    // `yolo11n.pt` has a name of its own; `best.pt` says nothing.
    runName: nameByPath([baseName(file.path).replace(/\.pt$/, '')]) === undefined ? toText(name) : undefined,
  };
}

function settingsOf(settings: unknown): Scalars {
  return toScalars(SETTINGS.map((name) => [name, at(settings, name)] as const));
}

async function resultsOf(folder: ModelFolder): Promise<Scalars> {
  const rows = await readRows(folder.file('results.csv'));
  const best: Row | undefined = bestBy(rows, FITNESS) ?? rows.at(-1);
  return mergeScalars(
    numbersIn(best, [
      ['epoch', 'best_epoch'],
      ['metrics/map50(b)', 'map50'],
      ['metrics/map50-95(b)', 'map50_95'],
      ['metrics/map50(p)', 'map50_pose'],
      ['metrics/map50-95(p)', 'map50_95_pose'],
      ['metrics/map50(m)', 'map50_mask'],
      ['metrics/map50-95(m)', 'map50_95_mask'],
      ['metrics/precision(b)', 'precision'],
      ['metrics/recall(b)', 'recall'],
      ['metrics/accuracy_top1', 'accuracy_top1'],
      ['metrics/map_0.5', 'map50'],
      ['metrics/map_0.5:0.95', 'map50_95'],
    ]),
    toScalars([['last_epoch', numberIn(rows.at(-1), 'epoch')]]),
  );
}

function leaveOut(path: string): string | undefined {
  if (EARLIER.test(path)) return 'an earlier checkpoint of the training';
  return PICTURES.test(path) ? 'a picture of the training' : undefined;
}
