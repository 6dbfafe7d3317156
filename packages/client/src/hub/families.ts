import { ModelRtcError } from '@model-rtc/protocol';

/**
 * Families of models that well-known tools load without code of the model's own: `model_type` of the configuration, or the library
 * or format where there is no configuration. The setting `hub.architectures` replaces the list.
 */
export const WELL_KNOWN_FAMILIES: readonly string[] = [
  // Text.
  ...['llama', 'llama4', 'mllama', 'mistral', 'mistral3', 'mixtral', 'qwen2', 'qwen2_moe', 'qwen3', 'qwen3_moe'],
  ...['gemma', 'gemma2', 'gemma3', 'gemma3_text', 'phi', 'phi3', 'phimoe', 'gpt2', 'gpt_neo', 'gpt_neox', 'gptj'],
  ...['gpt_oss', 'opt', 'bloom', 'falcon', 'mpt', 'stablelm', 'starcoder2', 'gpt_bigcode', 'olmo', 'olmo2'],
  ...['granite', 'cohere', 'cohere2', 'deepseek_v2', 'deepseek_v3', 'smollm3', 'glm', 'glm4', 'mamba', 'mamba2'],
  ...['rwkv', 't5', 'mt5', 'umt5', 'bart', 'mbart', 'pegasus', 'marian', 'm2m_100', 'led', 'longt5', 'bert'],
  ...['distilbert', 'roberta', 'xlm_roberta', 'camembert', 'albert', 'electra', 'deberta', 'deberta_v2', 'mpnet'],
  ...['modernbert', 'nomic_bert', 'big_bird', 'longformer', 'xlnet', 'esm'],
  // Images, sound, and several at once.
  ...['vit', 'deit', 'beit', 'swin', 'swinv2', 'convnext', 'convnextv2', 'resnet', 'dinov2', 'segformer'],
  ...['mask2former', 'detr', 'rt_detr', 'yolos', 'sam', 'sam2', 'depth_anything', 'vitpose', 'clip', 'siglip'],
  ...['siglip2', 'blip', 'blip_2', 'llava', 'llava_next', 'qwen2_vl', 'qwen2_5_vl', 'qwen3_vl', 'paligemma'],
  ...['idefics3', 'smolvlm', 'florence2', 'whisper', 'wav2vec2', 'hubert', 'wavlm', 'seamless_m4t', 'speecht5'],
  ...['vits', 'bark', 'musicgen', 'encodec', 'audio_spectrogram_transformer', 'clap'],
  // Where a library or a format says what it is.
  ...['diffusers', 'sentence_transformers', 'peft', 'timm', 'open_clip', 'gguf', 'onnx', 'mlx', 'ultralytics'],
  ...['keras', 'sklearn', 'spacy', 'fasttext', 'flair', 'nemo', 'sleap_nn'],
];

/** What tells the family of a model on a hub. */
export interface FamilyClues {
  readonly modelType?: string | undefined;
  readonly libraryName?: string | undefined;
  readonly files: readonly { readonly path: string }[];
}

/** The family by the model's configuration; without one, its library, or the format of its files. */
export function familyOf({ modelType, libraryName, files }: FamilyClues): string | undefined {
  const has = (extension: string) => files.some(({ path }) => path.toLowerCase().endsWith(extension));
  // A library of this name loads nothing without a configuration that names the family.
  const library = libraryName === 'transformers' ? undefined : libraryName;
  const told = modelType ?? library ?? (has('.gguf') ? 'gguf' : has('.onnx') ? 'onnx' : undefined);
  return told?.trim() === '' ? undefined : told?.trim();
}

/** `xlm-roberta` and `xlm_roberta` are one family. */
export function plain(family: string): string {
  return family.trim().toLowerCase().replace(/[-. ]/g, '_');
}

/** @throws ModelRtcError `refused` with the list when the family is not in it */
export function requireSupported(repo: string, family: string | undefined, supported: readonly string[]): void {
  const known = [...new Set(supported.map(plain))].sort();
  if (family !== undefined && known.includes(plain(family))) return;
  const what =
    family === undefined
      ? `${repo} does not say what family it belongs to`
      : `${repo} belongs to the family "${family}", which is not in the list of supported ones`;
  const addition = /^[A-Za-z0-9][\w.-]{0,63}$/.test(family ?? '') ? family : 'FAMILY';
  const sentence = `${what}, so nothing was fetched. Supported: ${known.join(', ')}. To take it all the same, pass --arch-any, or add the family: model-rtc settings set hub.architectures default,${addition}.`;
  throw new ModelRtcError('refused', sentence, { details: { repo, family: family ?? null, supported: known } });
}
