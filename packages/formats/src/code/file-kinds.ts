import type { CodeFile, Manifest } from '@model-rtc/protocol';
import { baseName, extensionOf } from '../file-names.ts';

/** Tools load these as pickles, or as archives of them, whatever they hold. */
const PICKLE_EXTENSIONS: ReadonlySet<string> = new Set([
  ...['.ckpt', '.pt', '.pth', '.pt2', '.ptl', '.pkl', '.pickle', '.joblib', '.dill', '.p', '.mar', '.nemo'],
]);
/** Compressed pickles, as joblib and pandas write them. */
const COMPRESSED_PICKLE = /\.(?:ckpt|pt|pth|pkl|pickle|joblib|dill)\.(?:gz|z|bz2|xz|lzma|lz4|zst)$/i;
/** What a loader imports or links beside the weights: custom code of hub repositories, custom operators. */
const PROGRAM_EXTENSIONS: ReadonlySet<string> = new Set(['.py', '.pyc', '.pyd', '.so', '.dylib', '.dll']);
/** `.bin` is the ending of anything; under these names it is what torch saved. */
const TORCH_BIN =
  /^(?:(?:diffusion_)?pytorch_model|adapter_model|training_args|optimizer|scheduler|scaler|rng_state|random_states)\b.*\.bin$|^pytorch_model.*\.bin$/i;

/** Whether a tool loads a file of this name by running its code. */
export function isProgramName(path: string): boolean {
  return PROGRAM_EXTENSIONS.has(extensionOf(path));
}

/** Whether a tool takes a file of this name for a pickle, or for an archive of pickles, and for nothing else. */
export function isPickleName(path: string): boolean {
  return PICKLE_EXTENSIONS.has(extensionOf(path)) || COMPRESSED_PICKLE.test(path) || TORCH_BIN.test(baseName(path));
}

/** Whether a tool may take a file of this name for a pickle: `.bin` is also what many put raw numbers into. */
export function mayBePickleName(path: string): boolean {
  return isPickleName(path) || ['.bin', '.dat', '.data', '.model', '.weights'].includes(extensionOf(path));
}

/**
 * Those of a model's files that run code when they are loaded, as far as their names tell: for a check before any of them is
 * here. What a file holds decides in the end, since any name can be given to a pickle.
 * @returns them in the manifest's order
 */
export function namedLikeCode({ files }: Pick<Manifest, 'files'>): CodeFile[] {
  return files
    .filter(({ path }) => isProgramName(path) || isPickleName(path))
    .map(({ path }) => ({ path, suspicious: [] }));
}
