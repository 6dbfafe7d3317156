import { at, isObject } from '../documents/scalars.ts';

/** Families whose configuration ties an output layer to the embedding when it does not say so. */
const TIED_BY_DEFAULT: ReadonlySet<unknown> = new Set([
  'albert',
  'bart',
  'bert',
  'bloom',
  'camembert',
  'distilbert',
  'electra',
  'gemma',
  'gemma2',
  'gpt2',
  'gpt_bigcode',
  'marian',
  'mbart',
  'mpnet',
  'opt',
  'pegasus',
  'roberta',
  't5',
  'whisper',
  'xlm-roberta',
]);

/**
 * Whether a loader gives an output layer the values of the embedding, by the model's `config.json`. Where that says nothing, only
 * families count whose default is known. Source: transformers, `tie_word_embeddings` of each configuration class.
 */
export function tiesWeights(config: unknown): boolean {
  if (!isObject(config)) return false;
  const said = at(config, 'tie_word_embeddings');
  return typeof said === 'boolean' ? said : TIED_BY_DEFAULT.has(at(config, 'model_type'));
}
