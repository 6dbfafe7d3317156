import { extensionOf } from '../file-names.ts';
import { factsOf } from './facts.ts';
import type { Layout, ModelFile, ModelFolder } from './types.ts';

/** Where accelerate and the Trainer put the weights; the optimizer's folder is beside it. */
const FSDP_METADATA = /^(pytorch_)?model_fsdp_\d+\/\.metadata$/;
const FSDP_PART = /^(pytorch_)?model_fsdp_\d+\/[^/]+\.distcp$/;

/**
 * A checkpoint of torch.distributed.checkpoint: `.metadata` says which tensor is where in the `.distcp` files.
 * Sources: torch/distributed/checkpoint/filesystem.py, accelerate/utils/fsdp_utils.py
 */
export const torchDistributed: Layout = {
  async recognise(folder) {
    const checkpoint = checkpointOf(folder);
    if (checkpoint === undefined) return undefined;
    return { facts: factsOf(checkpoint, { modelType: 'torch', framework: 'torch-distributed' }) };
  },
};

function checkpointOf({ files, file }: ModelFolder): ModelFile | undefined {
  const part = files.find(({ path }) => !path.includes('/') && extensionOf(path) === '.distcp');
  if (part !== undefined) return file('.metadata') ?? part;
  const inFolder = (pattern: RegExp) => files.find(({ path }) => pattern.test(path));
  return inFolder(FSDP_PART) === undefined ? undefined : (inFolder(FSDP_METADATA) ?? inFolder(FSDP_PART));
}
