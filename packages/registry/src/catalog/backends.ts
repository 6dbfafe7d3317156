import { weightsType } from '@model-rtc/formats';
import type { Backend, ModelEntry } from '@model-rtc/protocol';

const ALL: readonly Backend[] = ['cpu', 'cuda', 'metal'];
const ON_CUDA: readonly Backend[] = ['cpu', 'cuda'];
const ON_METAL: readonly Backend[] = ['cpu', 'metal'];
const CPU_ALONE: readonly Backend[] = ['cpu'];

/** What the tools that load a format compute on. */
const BACKENDS_OF: Readonly<Record<string, readonly Backend[]>> = {
  ...{ safetensors: ALL, torch: ALL, torchscript: ALL, torch_export: ALL, gguf: ALL, ggml: ALL, llamafile: ALL },
  ...{ onnx: ON_CUDA, keras: ON_CUDA, tensorflow: ON_CUDA, flax: ON_CUDA, nemo: ON_CUDA, torchserve: ON_CUDA },
  ...{ xgboost: ON_CUDA, catboost: ON_CUDA },
  ...{ coreml: ON_METAL, mlx: ON_METAL, executorch: ON_METAL },
  ...{ tflite: CPU_ALONE, litert: CPU_ALONE, mediapipe: CPU_ALONE, openvino: CPU_ALONE, lightgbm: CPU_ALONE },
  ...{ sklearn: CPU_ALONE, pickle: CPU_ALONE, npz: CPU_ALONE },
  tensorrt: ['cuda'],
};

/** Frameworks that have a format of their own, whatever the extension of its files. */
const FORMAT_OF_FRAMEWORK: Readonly<Record<string, string>> = {
  ...{ openvino: 'openvino', coreml: 'coreml', mlx: 'mlx', 'saved-model': 'tensorflow', tensorflow: 'tensorflow' },
  ...{ ggml: 'ggml', 'whisper.cpp': 'ggml', xgboost: 'xgboost', lightgbm: 'lightgbm', catboost: 'catboost' },
};

/** What a model's weights are kept in; undefined where nothing says it. */
export function modelFormat({
  framework,
  checkpointPath,
}: Pick<ModelEntry, 'framework' | 'checkpointPath'>): undefined | string {
  const own = framework === undefined ? undefined : known(FORMAT_OF_FRAMEWORK, framework);
  if (own !== undefined) return own;
  const type = checkpointPath === undefined ? 'file' : weightsType(checkpointPath);
  if (type === 'file') return undefined;
  // Hubs keep the weights of torch under this extension.
  return type === 'bin' ? 'torch' : type;
}

/** On which of a machine's kinds of hardware a format can be computed. */
export function backendsOf(format: string | undefined, hardware: ReadonlySet<Backend>): Backend[] {
  const able = format === undefined ? undefined : known(BACKENDS_OF, format);
  return (able ?? []).filter((backend) => hardware.has(backend));
}

function known<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
