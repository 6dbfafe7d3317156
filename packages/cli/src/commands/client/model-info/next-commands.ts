import { extname, join } from 'node:path';
import type { ModelEntry } from '@model-rtc/protocol';
import type { ModelFacts } from './types.ts';

type Command = readonly [what: string, command: string | undefined];

/** Commands that the user can paste to do the next thing with a model. */
export function useCommands(facts: ModelFacts): Command[] {
  const { entry, here, resumeCommand } = facts;
  const isSettled = entry.digest !== undefined;
  if (here === undefined)
    return [
      ['resume', resumeCommand],
      ['fetch', isSettled ? fetchCommand(facts) : undefined],
    ];
  return [
    ['resume', resumeHere(here.originalPath, resumeCommand)],
    ['send', isSettled ? `model-rtc client push-model ${here.alias ?? here.id} --worker SESSION` : undefined],
    ['load', isSettled ? loadSnippet(here, here.localPath) : undefined],
  ];
}

/** The command must run in the training's folder. */
function resumeHere(folder: string | undefined, command: string | undefined): string | undefined {
  return folder === undefined || command === undefined ? command : `cd ${shellText(folder)} && ${command}`;
}

function fetchCommand({ entry, from, availability }: ModelFacts): string | undefined {
  const [seen] = availability;
  if (from !== undefined) return pullCommand(entry.alias ?? entry.id, from.name);
  return seen === undefined ? undefined : pullCommand(seen.alias ?? entry.id, seen.name);
}

/** Uses a name that could be a saved one; writes SESSION in place of any other. */
function pullCommand(ref: string, workerName: string): string {
  const worker = /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(workerName) ? workerName : 'SESSION';
  return `model-rtc client pull-model ${ref} --worker ${worker}`;
}

type Snippet = (file: string, folder: string) => string;

/** How the tools that write a kind of model load it. */
const BY_FRAMEWORK: Readonly<Record<string, Snippet>> = {
  'sleap-nn': (_file, folder) => `sleap-nn track --data_path VIDEO --model_paths ${shellText(folder)}`,
  'saved-model': (_file, folder) => `import tensorflow as tf; model = tf.saved_model.load(${pythonText(folder)})`,
  openvino: (file) => `import openvino; model = openvino.Core().compile_model(${pythonText(file)})`,
  sleap: (_file, folder) => `sleap-track VIDEO --model ${shellText(folder)}`,
  hub: (_file, folder) =>
    `from transformers import AutoModel; model = AutoModel.from_pretrained(${pythonText(folder)})`,
};

const keras: Snippet = (file) => `import keras; model = keras.models.load_model(${pythonText(file)})`;
/** Without `weights_only`, loading runs whatever the file says. */
const torch: Snippet = (file) => `import torch; weights = torch.load(${pythonText(file)}, weights_only=True)`;

const BY_EXTENSION: Readonly<Record<string, Snippet>> = {
  '.safetensors': (file) => `from safetensors.torch import load_file; weights = load_file(${pythonText(file)})`,
  '.gguf': (file) => `llama-cli --model ${shellText(file)}`,
  '.onnx': (file) => `import onnxruntime; session = onnxruntime.InferenceSession(${pythonText(file)})`,
  '.h5': keras,
  '.keras': keras,
  '.torchscript': (file) => `import torch; model = torch.jit.load(${pythonText(file)})`,
  '.joblib': (file) => `import joblib; model = joblib.load(${pythonText(file)})`,
  '.ckpt': torch,
  '.pt': torch,
  '.pth': torch,
  '.bin': torch,
};

/** A command or a line of Python that loads the model; its file's path when no tool is known for it. */
export function loadSnippet({ framework, checkpointPath }: ModelEntry, folder: string): string {
  const file = checkpointPath === undefined ? folder : join(folder, checkpointPath);
  const snippet = snippetOf(BY_FRAMEWORK, framework) ?? snippetOf(BY_EXTENSION, extname(file).toLowerCase());
  return snippet === undefined ? file : snippet(file, folder);
}

/** A worker may name a tool `constructor`. */
function snippetOf(snippets: Readonly<Record<string, Snippet>>, name: string | undefined): Snippet | undefined {
  return name !== undefined && Object.hasOwn(snippets, name) ? snippets[name] : undefined;
}

/** A Python string literal; JSON's strings are valid ones. */
function pythonText(text: string): string {
  return JSON.stringify(text);
}

function shellText(text: string): string {
  return /^[A-Za-z0-9_./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
