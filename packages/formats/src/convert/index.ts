/** Turns files of torch into safetensors files. A separate entry, since most that read model files do not write any. */
export { type ConvertedBlock, convertedBlocks } from './copy-tensors.ts';
export { tiesWeights } from './model-config.ts';
export { convertedIndexName, convertedName } from './names.ts';
export { planConversion, whyNotConverted } from './plan-conversion.ts';
export { type ConvertedShard, convertedIndex } from './shard-index.ts';
export type * from './types.ts';
