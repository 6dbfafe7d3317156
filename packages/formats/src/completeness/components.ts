import type { ComponentState, ModelComponents } from '@model-rtc/protocol';
import { at, isObject } from '../documents/scalars.ts';
import { isWeightsFile } from '../layouts/weights-files.ts';
import { folderOf } from './folders.ts';
import { readJson } from './read-json.ts';
import type { CheckedFile, Flaw } from './types.ts';

const CONFIG = 'config.json';
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** Weights as transformers names them, for a folder whose configuration is missing. */
const WEIGHTS = /^(?:model|pytorch_model)(?:-\d+-of-\d+)?\.(?:safetensors|bin)$/;
/** What transformers writes beside weights under an ending of weights. */
const NO_WEIGHTS = /^(?:training_args\.bin|(?:optimizer|scheduler|scaler|rng_state[^/]*)\.(?:pt|pth|bin))$/;
const INDEX = /\.index(?:\.[^./]+)?\.json$/;
/** Each of these has the whole vocabulary. Source: transformers, `vocab_files_names` of its tokenizers. */
const WHOLE_TOKENIZER =
  /^(?:tokenizer\.json|tokenizer\.model|tekken\.json|vocab\.txt|spiece\.model|spm\.model|sentencepiece(?:\.bpe)?\.model|source\.spm|.+\.tiktoken)$/;
/** The vocabulary of byte-pair encoding needs the merges, that of single letters does not. */
const VOCABULARY = 'vocab.json';
const MERGES = 'merges.txt';
/** What is said of a tokenizer beside its vocabulary. */
const ABOUT_TOKENIZER = /^(?:tokenizer_config|special_tokens_map|added_tokens)\.json$/;
/** Families that hear letters. */
const OF_LETTERS = /^(?:wav2vec2|hubert|wavlm|unispeech|sew|data2vec-audio|mctct|vits)/;

/**
 * Which parts of a model are there, for a folder laid out as transformers has it; undefined for any other, whose parts have no such
 * names. A part is incomplete when only some of its files are there, or some are not whole.
 * @param flaws what `findFlaws` found in the same files
 * @throws what opening and reading the configuration throws
 */
export async function findComponents(
  files: readonly CheckedFile[],
  flaws: readonly Flaw[],
): Promise<ModelComponents | undefined> {
  const top = new Map(files.filter(({ path }) => folderOf(path) === '').map((file) => [file.path, file]));
  const config = top.get(CONFIG);
  const settings = config === undefined ? undefined : await readJson(config, MAX_CONFIG_BYTES);
  const names = [...top.keys()];
  const isOfTransformers =
    config === undefined
      ? names.some((name) => WEIGHTS.test(name)) && names.some(isOfTokenizer)
      : at(settings, 'model_type') !== undefined || at(settings, 'architectures') !== undefined || !isObject(settings);
  if (!isOfTransformers) return undefined;
  const flawed = new Set(flaws.map(({ path }) => path));
  return {
    weights: weightsState(files, flaws),
    config: config === undefined ? 'missing' : isObject(settings) && !flawed.has(CONFIG) ? 'present' : 'incomplete',
    tokenizer: tokenizerState(top, settings, flawed),
  };
}

function isOfTokenizer(name: string): boolean {
  return WHOLE_TOKENIZER.test(name) || ABOUT_TOKENIZER.test(name) || name === VOCABULARY || name === MERGES;
}

function weightsState(files: readonly CheckedFile[], flaws: readonly Flaw[]): ComponentState {
  const isWeights = (path: string) => isWeightsFile(path) && !NO_WEIGHTS.test(path);
  const found = files.filter(({ path, size }) => size > 0 && isWeights(path));
  if (found.length === 0) return 'missing';
  return flaws.some(({ path }) => isWeights(path) || INDEX.test(path)) ? 'incomplete' : 'present';
}

/** Undefined for a model that reads no text, as far as its configuration tells. */
function tokenizerState(
  top: ReadonlyMap<string, CheckedFile>,
  settings: unknown,
  flawed: ReadonlySet<string>,
): ComponentState | undefined {
  const there = [...top.keys()].filter(isOfTokenizer);
  const readsText = [at(settings, 'vocab_size'), at(settings, 'text_config', 'vocab_size')].some(
    (size) => Number(size) > 0,
  );
  if (there.length === 0) return readsText ? 'missing' : undefined;
  const isWhole = (name: string) => (top.get(name)?.size ?? 0) > 0 && !flawed.has(name);
  if (there.some((name) => !isWhole(name))) return 'incomplete';
  if (there.some((name) => WHOLE_TOKENIZER.test(name))) return 'present';
  const ofLetters = OF_LETTERS.test(String(at(settings, 'model_type')));
  return top.has(VOCABULARY) && (top.has(MERGES) || ofLetters) ? 'present' : 'incomplete';
}
