import { holdsWeights, isWeightsFile } from './weights-files.ts';

/** The names in a folder, and in the folders in it. */
export interface FolderNames {
  readonly files: readonly string[];
  readonly folders: readonly string[];
  /** The names of the files in one of the folders; empty where nobody looked. */
  filesIn(folder: string): readonly string[];
}

/** What tells that a folder is one model, by names alone. */
export interface Mark {
  readonly tool: string;
  /** A training's run may have anything beside it, so that a folder above stands for it too; other models may not. */
  readonly kind: 'run' | 'model';
  /** A file in the folder. */
  readonly file?: RegExp;
  /** Another file that must be beside it, where many tools have files with such an ending. */
  readonly beside?: RegExp;
  /** A folder in it, with a file of the right name. */
  readonly folder?: RegExp;
  readonly holds?: (name: string) => boolean;
}

const isDeepspeedState = (name: string) => /_(model|optim)_states\.pt$/.test(name);
const isDeeplabcutConfig = (name: string) => /^(pose_cfg|pytorch_config)\.yaml$/.test(name);
const isDistributedPart = (name: string) => name.endsWith('.distcp');

/** The first that fits is what a folder is. */
const MARKS: readonly Mark[] = [
  { tool: 'sleap', kind: 'run', file: /^training_config\.(ya?ml|json)$/ },
  { tool: 'hub', kind: 'model', file: /^(config|model_index|adapter_config|modules)\.json$/ },
  { tool: 'tensorflow', kind: 'model', file: /^saved_model\.pb$/ },
  { tool: 'tensorflow', kind: 'model', file: /\.index$/, beside: /\.data-\d{5}-of-\d{5}$/ },
  { tool: 'openvino', kind: 'model', file: /\.xml$/, beside: /\.bin$/ },
  { tool: 'coreml', kind: 'model', file: /^(Manifest\.json|coremldata\.bin)$/ },
  { tool: 'mlflow', kind: 'run', file: /^MLmodel$/ },
  { tool: 'ultralytics', kind: 'run', file: /^(args|opt)\.yaml$/ },
  { tool: 'lightning', kind: 'run', file: /^hparams\.yaml$/ },
  { tool: 'hydra', kind: 'run', folder: /^\.hydra$/, holds: (name) => name === 'config.yaml' },
  { tool: 'nnunet', kind: 'run', file: /^plans\.json$/ },
  { tool: 'deeplabcut', kind: 'run', file: /^(pose_cfg|pytorch_config)\.yaml$/ },
  { tool: 'deeplabcut', kind: 'run', folder: /^train$/, holds: isDeeplabcutConfig },
  { tool: 'deepspeed', kind: 'run', file: /^zero_to_fp32\.py$/ },
  { tool: 'deepspeed', kind: 'run', folder: /^(global_step\d+|checkpoint)$/, holds: isDeepspeedState },
  { tool: 'torch-distributed', kind: 'run', file: /^\.metadata$|\.distcp$/ },
  { tool: 'torch-distributed', kind: 'run', folder: /^(pytorch_)?model_fsdp_\d+$/, holds: isDistributedPart },
  { tool: 'checkpoints', kind: 'run', folder: /^(checkpoints?|ckpts?|weights)$/, holds: isWeightsFile },
  { tool: 'nnunet', kind: 'model', folder: /^fold_(\d+|all)$/, holds: isWeightsFile },
  { tool: 'hub', kind: 'model', folder: /^(onnx|original|unet|vae|variables|\d+_[A-Z]\w*)$/, holds: isWeightsFile },
];

/** Whether `filesIn` of a folder of this name must be known to find the mark of the folder around it. */
export function isTelling(name: string): boolean {
  return MARKS.some(({ folder }) => folder?.test(name));
}

/** What tells that a folder is one model; undefined when nothing does. */
export function markOf({ files, folders, filesIn }: FolderNames): Mark | undefined {
  const hasFile = ({ file, beside = /^/ }: Mark) =>
    files.some((name) => file?.test(name)) && files.some((name) => beside.test(name));
  const hasFolder = ({ folder, holds = () => true }: Mark) =>
    folders.some((name) => folder?.test(name) && filesIn(name).some(holds));
  return MARKS.find((mark) => hasFile(mark) || hasFolder(mark));
}

/** Projects have these too, with runs below that count before them. */
const WEAK = new Set(['hub', 'checkpoints']);

/** Whether the folder is one model even if there are runs below it: by the mark, or since weights are where they should be. */
export function isSure({ tool }: Mark, { files, filesIn }: FolderNames): boolean {
  if (tool === 'ultralytics') return filesIn('weights').some(isWeightsFile);
  return !WEAK.has(tool) || files.some(holdsWeights);
}
