import { basename } from 'node:path';
import { shellText } from '../../../../console/format.ts';
import { pythonText, type Snippet, type Snippets } from './snippet.ts';

/** In top-down tracking one network finds the animals and another one their parts: neither is of use alone. */
const OTHER_OF_PAIR: ReadonlyMap<string, string> = new Map([
  ['centroid', 'CENTERED_INSTANCE_MODEL'],
  ['centered_instance', 'CENTROID_MODEL'],
  ['multi_class_topdown', 'CENTROID_MODEL'],
]);

const ultralytics: Snippet = ({ file }) => `from ultralytics import YOLO; model = YOLO(${pythonText(file)})`;

/** How the tools that train a kind of model load it, by the entry's framework. */
export const TRAINING_TOOLS: Snippets = {
  'sleap-nn': ({ entry, folder }) =>
    ['sleap-nn track --data_path VIDEO', ...modelsOf(entry.modelType, folder, '--model_paths')].join(' '),
  sleap: ({ entry, folder }) => ['sleap-track VIDEO', ...modelsOf(entry.modelType, folder, '--model')].join(' '),
  ultralytics,
  yolov5: ({ file }) =>
    `import torch; model = torch.hub.load("ultralytics/yolov5", "custom", path=${pythonText(file)})`,
  nnunet: ({ file, folder, files }) =>
    `nnUNetv2_predict_from_modelfolder -i INPUT_FOLDER -o OUTPUT_FOLDER -m ${shellText(folder)} ${foldsOf(basename(file), files)}`.trim(),
  deeplabcut: () => 'import deeplabcut; deeplabcut.analyze_videos("PROJECT/config.yaml", ["VIDEO"], shuffle=SHUFFLE)',
  'deeplabcut-live': ({ folder }) => `from dlclive import DLCLive; model = DLCLive(${pythonText(folder)})`,
  deepspeed: ({ folder }) =>
    `from deepspeed.utils.zero_to_fp32 import get_fp32_state_dict_from_zero_checkpoint as load; weights = load(${pythonText(folder)})`,
  'torch-distributed': ({ file }) =>
    `python -m torch.distributed.checkpoint.format_utils dcp_to_torch ${shellText(file.replace(/[/\\]\.metadata$/, ''))} weights.pt`,
  mlflow: ({ folder }) => `import mlflow; model = mlflow.pyfunc.load_model(${pythonText(folder)})`,
};

/** The centroid network goes first. */
function modelsOf(modelType: string, folder: string, option: string): string[] {
  const other = OTHER_OF_PAIR.get(modelType);
  const models = other === undefined ? [shellText(folder)] : [shellText(folder), other];
  if (modelType !== 'centroid') models.reverse();
  return models.map((model) => `${option} ${model}`);
}

/** The folds that were trained, since five are taken for granted, and their checkpoint when it is not the default. */
function foldsOf(checkpoint: string, files: readonly string[]): string {
  const found = files.map((path) => /^fold_(\d+|all)\/(checkpoint_[a-z]+\.pth)$/.exec(path));
  const folds = found.filter((fold) => fold?.[2] === checkpoint).map((fold) => fold?.[1]);
  const option = folds.length === 0 ? '' : `-f ${folds.join(' ')}`;
  return checkpoint === 'checkpoint_final.pth' ? option : `${option} -chk ${shellText(checkpoint)}`.trim();
}
