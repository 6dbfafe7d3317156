import type { CodeFile } from '@model-rtc/protocol';
import { baseName, extensionOf } from '../file-names.ts';

/** Tools load these as pickles or archives of pickles, whatever they contain. */
const PICKLE_EXTENSIONS: ReadonlySet<string> = new Set([
  ...['.ckpt', '.pt', '.pth', '.pt2', '.ptl', '.pkl', '.pickle', '.joblib', '.dill', '.p', '.mar', '.nemo'],
]);
/** Compressed pickles from joblib and pandas. */
const COMPRESSED_PICKLE = /\.(?:ckpt|pt|pth|pkl|pickle|joblib|dill)\.(?:gz|z|bz2|xz|lzma|lz4|zst)$/i;
/**
 * What a loader imports or links besides the weights (custom code of hub repositories, custom operators), and what a person may
 * start: programs and scripts.
 */
const PROGRAM_EXTENSIONS: ReadonlySet<string> = new Set([
  ...['.py', '.pyc', '.pyd', '.so', '.dylib', '.dll', '.node', '.wasm', '.class', '.jar'],
  ...['.llamafile', '.exe', '.msi', '.sh', '.bash', '.zsh', '.fish', '.bat', '.cmd', '.ps1'],
]);
/** Libraries with their version, such as `libops.so.1.2`. */
const VERSIONED_LIBRARY = /\.so(?:\.\d+)+$/i;
/** Anything can end in `.bin`; files with these names come from torch. */
const TORCH_BIN =
  /^(?:(?:diffusion_)?pytorch_model|adapter_model|training_args|optimizer|scheduler|scaler|rng_state|random_states)\b.*\.bin$|^pytorch_model.*\.bin$/i;

/** Machine code for a graphics processor, made for one machine. Source: NVIDIA TensorRT, developer guide (engines) */
const COMPILED_EXTENSIONS: ReadonlySet<string> = new Set(['.engine', '.plan']);

/** Whether a file of this name is compiled code that nobody can look into. */
export function isCompiledName(path: string): boolean {
  return COMPILED_EXTENSIONS.has(extensionOf(path));
}

/** Whether a file of this name is run, by a tool that loads it or by a person. */
export function isProgramName(path: string): boolean {
  return PROGRAM_EXTENSIONS.has(extensionOf(path)) || VERSIONED_LIBRARY.test(path);
}

/** Whether a tool always takes a file of this name for a pickle or an archive of pickles. */
export function isPickleName(path: string): boolean {
  return PICKLE_EXTENSIONS.has(extensionOf(path)) || COMPRESSED_PICKLE.test(path) || TORCH_BIN.test(baseName(path));
}

/** Whether a tool may take a file of this name for a pickle: `.bin` files often hold raw numbers instead. */
export function mayBePickleName(path: string): boolean {
  return isPickleName(path) || ['.bin', '.dat', '.data', '.model', '.weights'].includes(extensionOf(path));
}

/**
 * The files of a model whose names say that loading them runs code, for a check before any of them arrives. In the end the
 * content decides, since a pickle can have any name.
 * @returns the files in the manifest's order
 */
export function namedLikeCode({ files }: { readonly files: readonly { readonly path: string }[] }): CodeFile[] {
  return files
    .filter(({ path }) => isProgramName(path) || isPickleName(path))
    .map(({ path }) => ({ path, suspicious: [] }));
}
