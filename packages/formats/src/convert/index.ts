/** Turns files of torch into safetensors files. A separate entry, since most that read model files do not write any. */
export { type ConvertedBlock, convertedBlocks } from './copy-tensors.ts';
export { planConversion } from './plan-conversion.ts';
export type * from './types.ts';
