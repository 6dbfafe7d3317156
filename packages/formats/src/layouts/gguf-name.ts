import { numberedPart } from '../completeness/numbered-parts.ts';
import { baseName, extensionOf } from '../file-names.ts';
import type { ModelFile } from './types.ts';

/** A quantisation as llama.cpp and those who publish GGUF files call it. Source: llama.cpp, `LLAMA_FTYPE` names */
const QUANTISATION = /(^|[-_.])((UD-)?(I?Q\d|TQ\d)(_[A-Z0-9]+)*|BF16|F16|F32|MXFP4(_MOE)?)$/i;
/** What converters call every model. */
const SAYS_NOTHING = /^(ggml-)?(model|unsloth)([-_.]|$)/i;

/**
 * The name of a folder's GGUF model, when its files tell the quantisation and the folder may not. All quantisations have the same
 * title. Undefined for a folder with several models, or with a name in its files that says nothing.
 */
export function ggufName(checkpoint: ModelFile, weights: readonly ModelFile[]): string | undefined {
  const stem = stemOf(checkpoint.path);
  if (stem === undefined || !QUANTISATION.test(stem) || SAYS_NOTHING.test(stem)) return undefined;
  return weights.every(({ path }) => /mmproj/i.test(path) || stemOf(path) === stem) ? stem : undefined;
}

/** Without the number of a part; undefined for a file that is no GGUF. */
function stemOf(path: string): string | undefined {
  const name = baseName(path);
  if (extensionOf(name) !== '.gguf') return undefined;
  const set = numberedPart(name)?.set;
  return set === undefined ? name.slice(0, -'.gguf'.length) : set.slice(0, set.indexOf('*')).replace(/[-_.]$/, '');
}
