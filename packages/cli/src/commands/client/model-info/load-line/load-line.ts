import { extname, join } from 'node:path';
import type { ModelEntry } from '@model-rtc/protocol';
import { MODEL_FORMATS } from './model-formats.ts';
import { pythonText, type Snippet, type Snippets, shellText } from './snippet.ts';
import { TRAINING_TOOLS } from './training-tools.ts';

const BY_FRAMEWORK: Snippets = { ...TRAINING_TOOLS, ...MODEL_FORMATS };

const keras: Snippet = ({ file }) => `import keras; model = keras.models.load_model(${pythonText(file)})`;
/** Without `weights_only`, loading runs whatever the file says. */
const torch: Snippet = ({ file }) => `import torch; weights = torch.load(${pythonText(file)}, weights_only=True)`;

const BY_EXTENSION: Snippets = {
  '.safetensors': ({ file }) => `from safetensors.torch import load_file; weights = load_file(${pythonText(file)})`,
  '.gguf': ({ file }) => `llama-cli --model ${shellText(file)}`,
  '.onnx': ({ file }) => `import onnxruntime; session = onnxruntime.InferenceSession(${pythonText(file)})`,
  '.h5': keras,
  '.keras': keras,
  '.torchscript': ({ file }) => `import torch; model = torch.jit.load(${pythonText(file)})`,
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
