import { readHead } from '../bytes/byte-readers.ts';
import { extensionOf } from '../file-names.ts';
import type { NamedReader } from '../types.ts';
import { isProgramName } from './file-kinds.ts';
import { isMachineCode, isScript } from './programs.ts';

/** Code that a loader imports, beside the weights that need it. It stays, and is named under "runs code". */
const MODEL_CODE = new Set(['.py']);
/** A model of this kind is a program, with the weights inside it. */
const MODEL_PROGRAMS = new Set(['.llamafile']);
const LIBRARIES = /\.(so|dll|dylib|pyd|node)(\.\d+)*$/i;
const SCRIPTS = new Set(['.sh', '.bash', '.zsh', '.fish', '.bat', '.cmd', '.ps1']);
/** Files of other names are opened to see what they are. A model can have ten thousand of these. */
const DATA = new Set([
  ...['.json', '.jsonl', '.txt', '.md', '.yaml', '.yml', '.toml', '.csv', '.tsv', '.jinja', '.xml', '.npy', '.npz'],
  ...['.safetensors', '.gguf', '.h5', '.hdf5', '.keras', '.png', '.jpg', '.jpeg', '.model', '.vocab'],
]);
const HEAD_BYTES = 16;

/** The same as `programReason` says, as far as the name of a file tells: before it is fetched, nothing else is known. */
export function programReasonByName(path: string): string | undefined {
  if (LIBRARIES.test(path)) return 'a library of machine code';
  if (SCRIPTS.has(extensionOf(path))) return 'a script';
  return isProgramName(path) ? 'a program' : undefined;
}

/**
 * Why a file is a program and so no part of a model that is imported, as a noun phrase; undefined for any other file. Judged by its
 * name, and by its first bytes: machine code under any name, and what an executable file holds.
 * @param isExecutable - whether the file's mode says so
 * @throws what reading the file throws
 */
export async function programReason(file: NamedReader, isExecutable: boolean): Promise<string | undefined> {
  const extension = extensionOf(file.path);
  if (MODEL_CODE.has(extension) || MODEL_PROGRAMS.has(extension)) return undefined;
  const byName = programReasonByName(file.path);
  if (byName !== undefined) return byName;
  if (file.size === 0 || (!isExecutable && DATA.has(extension))) return undefined;
  const head = await readHead(file, HEAD_BYTES);
  if (await isMachineCode(file, head)) return 'a program, by its first bytes';
  return isExecutable && isScript(head) ? 'an executable script' : undefined;
}
