import { extensionOf } from '../file-names.ts';

/** The model's type by the extension of its weights file, for when nothing says more. */
const TYPE_OF_EXTENSION = {
  '.ckpt': 'torch',
  '.pt': 'torch',
  '.pth': 'torch',
  '.bin': 'bin',
  '.h5': 'keras',
  '.hdf5': 'keras',
  '.keras': 'keras',
  '.pt2': 'torch_export',
  '.safetensors': 'safetensors',
  '.gguf': 'gguf',
  '.onnx': 'onnx',
  '.tflite': 'tflite',
  '.pb': 'tensorflow',
  '.npz': 'npz',
  '.mlmodel': 'coreml',
  '.torchscript': 'torchscript',
  '.distcp': 'torch',
  '.ubj': 'xgboost',
  '.cbm': 'catboost',
  '.engine': 'tensorrt',
  '.plan': 'tensorrt',
  '.pte': 'executorch',
  '.task': 'mediapipe',
  '.litertlm': 'litert',
  '.nemo': 'nemo',
  '.llamafile': 'llamafile',
  '.skops': 'sklearn',
  '.mar': 'torchserve',
  '.msgpack': 'flax',
  '.pkl': 'pickle',
  '.joblib': 'pickle',
  '.pickle': 'pickle',
} as const;

/** A file with one of these extensions counts as weights. */
export const WEIGHTS_EXTENSIONS: readonly string[] = Object.keys(TYPE_OF_EXTENSION);

/** How hubs split a file that is too large for them: `model.gguf.part1of3`. */
const PART = /\.?part\d{1,6}of\d{1,6}$/i;

/** That of the whole file, for a part of one. */
function weightsExtension(path: string): string {
  return extensionOf(path.replace(PART, ''));
}

export function isWeightsFile(path: string): boolean {
  return Object.hasOwn(TYPE_OF_EXTENSION, weightsExtension(path));
}

/** The tensors of a checkpoint or SavedModel of TensorFlow, which is no model by itself. */
const TENSORFLOW_DATA = /\.data-\d{5}-of-\d{5}$/;

/** Whether a folder with a file of this name may be a model. */
export function holdsWeights(path: string): boolean {
  return isWeightsFile(path) || TENSORFLOW_DATA.test(path);
}

/** `torch`, `onnx` and so on; `file` for a file of another extension. */
export function weightsType(path: string): string {
  const types: Readonly<Record<string, string>> = TYPE_OF_EXTENSION;
  const extension = weightsExtension(path);
  return Object.hasOwn(types, extension) ? (types[extension] as string) : 'file';
}
