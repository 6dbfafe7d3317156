import * as z from 'zod';
import { MAX_PATH_BYTES, MAX_PATH_NAME_BYTES } from './limits.ts';

/** A path of a file inside a model, checked: relative, `/`-separated, NFC, and safe to create on every platform. */
export type ModelPath = string & { readonly __brand: 'ModelPath' };

/** Device names that Windows opens wherever they stand, with any extension. */
const RESERVED_NAME = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?$/i;
/** The folder where a registry keeps its own notes about a model. */
export const OWN_FOLDER = '.model-rtc';

/** The rule that the path breaks, or undefined when it is a model path. */
export function modelPathProblem(path: string): string | undefined {
  if (path === '') return 'a path is empty';
  if (isLonger(path, MAX_PATH_BYTES)) return `a path is longer than ${MAX_PATH_BYTES} bytes`;
  if (/\p{Surrogate}/u.test(path)) return 'a path is not valid Unicode';
  if (path !== path.normalize('NFC')) return `${JSON.stringify(path)} is not in Unicode NFC`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are just what is refused
  if (/[\u0000-\u001f\u007f]/.test(path)) return `${JSON.stringify(path)} has a control character`;
  if (path.includes('\\')) return `${JSON.stringify(path)} has a backslash`;
  if (path.startsWith('/')) return `${JSON.stringify(path)} is absolute`;
  if (/^[A-Za-z]:/.test(path)) return `${JSON.stringify(path)} has a drive letter`;
  for (const name of path.split('/')) {
    const problem = nameProblem(name, path);
    if (problem !== undefined) return problem;
  }
  if (path.split('/')[0]?.toLowerCase() === OWN_FOLDER)
    return `${JSON.stringify(path)} is in the registry's own folder`;
  return undefined;
}

function nameProblem(name: string, path: string): string | undefined {
  if (name === '') return `${JSON.stringify(path)} has an empty name`;
  if (name === '.' || name === '..') return `${JSON.stringify(path)} has "${name}" in it`;
  if (isLonger(name, MAX_PATH_NAME_BYTES)) return `a name is longer than ${MAX_PATH_NAME_BYTES} bytes`;
  if (RESERVED_NAME.test(name)) return `${JSON.stringify(path)} has the reserved device name ${JSON.stringify(name)}`;
  if (/[ .]$/.test(name)) return `${JSON.stringify(path)} has a name that ends with a space or dot`;
  return undefined;
}

/** A unit of a string is 3 bytes at most, so that most are known to be short without being encoded. */
function isLonger(text: string, maxBytes: number): boolean {
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes;
}

/** The first rule that a model's paths break together: two of one name after case folding, or a file that is also a folder. */
export function pathsProblem(paths: readonly string[]): string | undefined {
  const files = new Set<string>();
  for (const path of paths) {
    const folded = foldCase(path);
    if (files.has(folded)) return `${JSON.stringify(path)} is there twice (upper and lower case are one)`;
    files.add(folded);
  }
  for (const folded of files) {
    for (let slash = folded.indexOf('/'); slash !== -1; slash = folded.indexOf('/', slash + 1)) {
      if (files.has(folded.slice(0, slash)))
        return `${JSON.stringify(folded.slice(0, slash))} is both a file and a folder`;
    }
  }
  return undefined;
}

/** Case folding as file systems do it: upper then lower, so that "ß" and "SS", "ſ" and "s" fall together; then NFC. */
function foldCase(path: string): string {
  return path.toUpperCase().toLowerCase().normalize('NFC');
}

export const modelPathSchema = z
  .string()
  .superRefine((path, context) => {
    const problem = modelPathProblem(path);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  })
  .transform((path) => path as ModelPath);
