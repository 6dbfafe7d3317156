import { pythonText, type Snippets } from './snippet.ts';

/** How the formats that models are kept in are loaded, by the entry's framework. */
export const MODEL_FORMATS: Snippets = {
  'saved-model': ({ folder }) => `import tensorflow as tf; model = tf.saved_model.load(${pythonText(folder)})`,
  openvino: ({ file }) => `import openvino; model = openvino.Core().compile_model(${pythonText(file)})`,
  hub: ({ folder }) => `from transformers import AutoModel; model = AutoModel.from_pretrained(${pythonText(folder)})`,
};
