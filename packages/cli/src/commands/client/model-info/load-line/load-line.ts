import { extname, join } from 'node:path';
import type { ModelEntry } from '@model-rtc/protocol';
import { shellText } from '../../../../console/format.ts';
import { MODEL_FORMATS } from './model-formats.ts';
import { pythonText, type Snippet, type Snippets } from './snippet.ts';
import { TRAINING_TOOLS } from './training-tools.ts';

const BY_FRAMEWORK: Snippets = { ...TRAINING_TOOLS, ...MODEL_FORMATS };

const keras: Snippet = ({ file }) => `import keras; model = keras.models.load_model(${pythonText(file)})`;
/** Without `weights_only`, loading runs whatever the file says. */
const torch: Snippet = ({ file }) => `import torch; weights = torch.load(${pythonText(file)}, weights_only=True)`;

const trtexec: Snippet = ({ file }) => `trtexec --loadEngine=${shellText(file)}`;
/** A model that sees has a projector beside it; an adapter goes on top of a model. */
const llama: Snippet = ({ entry, file, folder, files }) => {
  if (entry.modelType === 'lora') return `llama-cli --model BASE.gguf --lora ${shellText(file)}`;
  const projector = files.find((path) => /mmproj[^/]*\.gguf$/i.test(path) && path !== entry.checkpointPath);
  const more = projector === undefined ? '' : ` --mmproj ${shellText(join(folder, projector))}`;
  return `${projector === undefined ? 'llama-cli' : 'llama-mtmd-cli'} --model ${shellText(file)}${more}`;
};

const BY_EXTENSION: Snippets = {
  '.safetensors': ({ file }) => `from safetensors.torch import load_file; weights = load_file(${pythonText(file)})`,
  '.gguf': llama,
  '.onnx': ({ file }) => `import onnxruntime; session = onnxruntime.InferenceSession(${pythonText(file)})`,
  '.h5': keras,
  '.keras': keras,
  '.torchscript': ({ file }) => `import torch; model = torch.jit.load(${pythonText(file)})`,
  '.pt2': ({ file }) => `import torch; program = torch.export.load(${pythonText(file)})`,
  '.tflite': ({ file }) =>
    `from ai_edge_litert.interpreter import Interpreter; model = Interpreter(model_path=${pythonText(file)})`,
  '.mlmodel': ({ file }) => `import coremltools; model = coremltools.models.MLModel(${pythonText(file)})`,
  '.skops': ({ file }) => `import skops.io; model = skops.io.load(${pythonText(file)})`,
  '.npz': ({ file }) => `import numpy; arrays = numpy.load(${pythonText(file)})`,
  '.engine': trtexec,
  '.plan': trtexec,
  '.llamafile': ({ file }) => `sh ${shellText(file)}`,
  '.joblib': ({ file }) => `import joblib; model = joblib.load(${pythonText(file)})`,
  '.ckpt': torch,
  '.pt': torch,
  '.pth': torch,
  '.bin': torch,
};

/**
 * A command or a line of Python that loads a model; its file's path when no tool is known for it.
 * @param folder - where the model's files are
 * @param files - their paths inside the model, as far as they are known
 */
export function loadSnippet(entry: ModelEntry, folder: string, files: readonly string[] = []): string {
  const { framework, checkpointPath } = entry;
  const file = checkpointPath === undefined ? folder : join(folder, checkpointPath);
  const snippet = snippetOf(BY_FRAMEWORK, framework) ?? snippetOf(BY_EXTENSION, extname(file).toLowerCase());
  return snippet === undefined ? file : snippet({ entry, file, folder, files });
}

/** A worker may name a tool `constructor`. */
function snippetOf(snippets: Snippets, name: string | undefined): Snippet | undefined {
  return name !== undefined && Object.hasOwn(snippets, name) ? snippets[name] : undefined;
}
