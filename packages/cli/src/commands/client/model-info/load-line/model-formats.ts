import { shellText } from '../../../../console/format.ts';
import { isPathOfMachine } from '../base-model.ts';
import { type LoadedModel, pythonText, type Snippets } from './snippet.ts';

/** How the formats that models are kept in are loaded, by the entry's framework. */
export const MODEL_FORMATS: Snippets = {
  'saved-model': ({ folder }) => `import tensorflow as tf; model = tf.saved_model.load(${pythonText(folder)})`,
  openvino: ({ file }) => `import openvino; model = openvino.Core().compile_model(${pythonText(file)})`,
  hub: ({ entry, folder }) => {
    const auto = autoModel(TASK_OF_CLASS.exec(entry.backbone ?? '')?.[1]);
    return `from transformers import ${auto}; model = ${auto}.from_pretrained(${pythonText(folder)})`;
  },
  peft: peftLine,
  mlx: mlxLine,
  diffusers: diffusersLine,
  lora: ({ entry, file }) => {
    const base = entry.lineage?.fineTunedFrom;
    const note = base === undefined ? '' : `  # BASE: ${oneLine(base)}`;
    return `from diffusers import DiffusionPipeline; pipe = DiffusionPipeline.from_pretrained("BASE"); pipe.load_lora_weights(${pythonText(file)})${note}`;
  },
  'sentence-transformers': ({ folder }) =>
    `from sentence_transformers import SentenceTransformer; model = SentenceTransformer(${pythonText(folder)})`,
  coreml: ({ entry, folder, file }) => {
    const isCompiled = entry.checkpointPath === 'coremldata.bin';
    const model = isCompiled ? 'CompiledMLModel' : 'MLModel';
    return `import coremltools; model = coremltools.models.${model}(${pythonText(isPackage(entry) ? folder : file)})`;
  },
  torchscript: ({ file }) => `import torch; model = torch.jit.load(${pythonText(file)})`,
  torch_export: ({ file }) => `import torch; program = torch.export.load(${pythonText(file)})`,
  joblib: ({ file }) => `import joblib; model = joblib.load(${pythonText(file)})`,
  pickle: ({ file }) => `import pickle; model = pickle.load(open(${pythonText(file)}, "rb"))`,
  xgboost: ({ file }) => `import xgboost; model = xgboost.Booster(model_file=${pythonText(file)})`,
  lightgbm: ({ file }) => `import lightgbm; model = lightgbm.Booster(model_file=${pythonText(file)})`,
  catboost: ({ file }) => `from catboost import CatBoost; model = CatBoost().load_model(${pythonText(file)})`,
  'whisper.cpp': ({ file }) => `whisper-cli --model ${shellText(file)} --file AUDIO`,
  ggml: ({ file }) => file,
};

const TASK_OF_CLASS =
  /For(CausalLM|MaskedLM|SequenceClassification|TokenClassification|QuestionAnswering|ImageClassification|ObjectDetection)$/;
/** Source: peft, utils/peft_types.py (`TaskType`). */
const TASK_OF_PEFT: Readonly<Record<string, string>> = {
  CAUSAL_LM: 'CausalLM',
  SEQ_2_SEQ_LM: 'Seq2SeqLM',
  SEQ_CLS: 'SequenceClassification',
  TOKEN_CLS: 'TokenClassification',
  QUESTION_ANS: 'QuestionAnswering',
};

function autoModel(task: string | undefined): string {
  return task === undefined ? 'AutoModel' : `AutoModelFor${task}`;
}

/** The adapter knows where its base was on the machine that trained it; from a hub it is downloaded. */
function peftLine({ entry, folder }: LoadedModel): string {
  const base = entry.lineage?.fineTunedFrom;
  const kind = String(entry.hyperparameters.task_type);
  const task = Object.hasOwn(TASK_OF_PEFT, kind) ? TASK_OF_PEFT[kind] : undefined;
  if (base === undefined || isPathOfMachine(base) || task === undefined) {
    const auto = autoModel(task);
    const note = base === undefined ? 'its base model' : `your copy of ${oneLine(base)}`;
    return `from transformers import ${auto}; from peft import PeftModel; model = PeftModel.from_pretrained(${auto}.from_pretrained("BASE"), ${pythonText(folder)})  # BASE: ${note}`;
  }
  const auto = `AutoPeftModelFor${task}`;
  return `from peft import ${auto}; model = ${auto}.from_pretrained(${pythonText(folder)})  # with its base ${oneLine(base)}`;
}

function mlxLine({ entry, folder, file }: LoadedModel): string {
  const isAdapter = /(^|\/)adapters\.[a-z]+$/.test(file);
  const base = entry.lineage?.fineTunedFrom ?? 'BASE';
  const from = isAdapter ? `${pythonText(base)}, adapter_path=${pythonText(folder)}` : pythonText(folder);
  return `from mlx_lm import load; model, tokenizer = load(${from})`;
}

/** A variant of the weights has its name before the ending: `model.fp16.safetensors`. */
function diffusersLine({ entry, folder }: LoadedModel): string {
  const variant = /\/[^./]+\.([a-z0-9]+)(?:-\d+-of-\d+)?\.[a-z]+$/.exec(entry.checkpointPath ?? '')?.[1];
  const more = variant === undefined ? '' : `, variant=${pythonText(variant)}`;
  return `from diffusers import DiffusionPipeline; pipe = DiffusionPipeline.from_pretrained(${pythonText(folder)}${more})`;
}

/** A package is a folder; before, a model was one file. */
function isPackage({ configPath, checkpointPath }: LoadedModel['entry']): boolean {
  return configPath === 'Manifest.json' || checkpointPath === 'coremldata.bin';
}

/** A comment ends where its line does. */
function oneLine(text: string): string {
  return text.replaceAll(/[\r\n]+/g, ' ');
}
