/** Files of torch.save that hold a model. A `.ckpt` is left to the tool that wrote it, which loads nothing else. */
const TORCH = /\.(?:bin|pt|pth)$/i;
/** `pytorch_model.bin.index.json`, also with a variant: `pytorch_model.bin.index.fp16.json`. */
const TORCH_INDEX = /\.(?:bin|pt|pth)(\.index(?:\.[^./]+)?\.json)$/i;

/**
 * What a file of torch is called once it is a safetensors file, as the libraries that load it look for it: `pytorch_model.bin` is
 * `model.safetensors`, `diffusion_pytorch_model.bin` is `diffusion_pytorch_model.safetensors`. Undefined for names of other files.
 */
export function convertedName(path: string): string | undefined {
  return TORCH.test(path) ? withoutTorch(path).replace(TORCH, '.safetensors') : undefined;
}

/** The same for an index, which says in which file each tensor is. */
export function convertedIndexName(path: string): string | undefined {
  return TORCH_INDEX.test(path) ? withoutTorch(path).replace(TORCH_INDEX, '.safetensors$1') : undefined;
}

function withoutTorch(path: string): string {
  return path.replace(/(^|\/)pytorch_model(?=[-.][^/]*$)/, '$1model');
}
