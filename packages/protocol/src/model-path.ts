import { FolderMemory } from './folder-memory.ts';
import { MAX_PATH_BYTES, MAX_PATH_NAME_BYTES } from './limits.ts';
import { runAtOnce, type Steps, sortTexts } from './steps.ts';

/**
 * A path of a file inside a model, checked: relative, `/`-separated, NFC, and safe to create in a folder on every platform but
 * Windows, which has names of fewer characters: see `windowsPathProblem`.
 */
export type ModelPath = string & { readonly __brand: 'ModelPath' };

/** Device names that Windows opens wherever they stand, with any extension. */
const RESERVED_NAME = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?$/i;
/** Of these names, the shortest, and what they begin with. */
const SHORTEST_DEVICE_NAME = 3;
const DEVICE_INITIALS = 'cpanlCPANL';
const DOT = 0x2e;
const SPACE = 0x20;
/** How a path begins that may break a rule: `/`, the registry's own folder, or what may be the name of a device. */
const UNUSUAL_START =
  /^(?:[./]|(?:[cC][oO][nNmM]|[pP][rR][nN]|[aA][uU][xX]|[nN][uU][lL]|[lL][pP][tT])(?:[./0-9iIoO]|$))/;
/** What no usual path has: all but printable ASCII, `\`, `:`, names that are empty, end in a space or dot, or may be a device. */
const UNUSUAL_PART =
  /[^ -~]|[\\:]|[ .](?:\/|$)|\/(?:\/|$|(?:[cC][oO][nNmM]|[pP][rR][nN]|[aA][uU][xX]|[nN][uU][lL]|[lL][pP][tT])(?:[./0-9iIoO]|$))/;
const NOT_ASCII = /[\u0080-\uffff]/;
/** How many paths are compared between two yields. */
const PATHS_A_STEP = 64;
/** The folder where a registry keeps its own notes about a model. */
export const OWN_FOLDER = '.model-rtc';

/** The rule that the path breaks, or undefined when it is a model path. */
export function modelPathProblem(path: string): string | undefined {
  return isUsualPath(path) ? undefined : unusualPathProblem(path);
}

/** `modelPathProblem` for path after path of one model: the rules are checked once for the folder that some of them share. */
export function createPathCheck(): typeof modelPathProblem {
  const usualFolders = new FolderMemory<true>();
  return (path) => {
    const slash = path.lastIndexOf('/');
    // A folder at the root, or none, is quickly checked; what is longer than a path may be is not looked at.
    if (slash < 1 || path.length > MAX_PATH_BYTES) return modelPathProblem(path);
    const folder = path.slice(0, slash);
    if (usualFolders.get(folder) === undefined) {
      if (!isUsualPath(folder)) return modelPathProblem(path);
      usualFolders.set(folder, true);
    }
    return isUsualBelow(path.slice(slash)) ? undefined : unusualPathProblem(path);
  };
}

/** Whether a slash and a name surely break no rule behind a usual path. */
function isUsualBelow(name: string): boolean {
  return name.length <= MAX_PATH_NAME_BYTES + 1 && !UNUSUAL_PART.test(name);
}

/**
 * Whether a path surely breaks no rule, as nearly all do: a model has up to 200,000 paths, and one of 3,000 bytes has up to 1,500
 * names. Native code looks at the characters, which is quicker than a loop.
 */
function isUsualPath(path: string): boolean {
  if (path.length === 0 || path.length > MAX_PATH_BYTES) return false;
  return !UNUSUAL_START.test(path) && !UNUSUAL_PART.test(path) && hasShortNames(path);
}

/** Whether no name of a path in ASCII is too long: from each name's start, the last slash within reach is looked for. */
function hasShortNames(path: string): boolean {
  let start = 0;
  while (path.length - start > MAX_PATH_NAME_BYTES) {
    const slash = path.lastIndexOf('/', start + MAX_PATH_NAME_BYTES);
    if (slash < start) return false;
    start = slash + 1;
  }
  return true;
}

function unusualPathProblem(path: string): string | undefined {
  if (path === '') return 'a path is empty';
  if (isLonger(path, MAX_PATH_BYTES)) return `a path is longer than ${MAX_PATH_BYTES} bytes`;
  if (!isPlainText(path)) {
    if (/\p{Surrogate}/u.test(path)) return 'a path is not valid Unicode';
    if (path !== path.normalize('NFC')) return `${JSON.stringify(path)} is not in Unicode NFC`;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are just what is refused
    if (/[\u0000-\u001f\u007f]/.test(path)) return `${JSON.stringify(path)} has a control character`;
  }
  if (path.includes('\\')) return `${JSON.stringify(path)} has a backslash`;
  if (path.startsWith('/')) return `${JSON.stringify(path)} is absolute`;
  if (/^[A-Za-z]:(\/|$)/.test(path)) return `${JSON.stringify(path)} has a drive letter`;
  const problem = namesProblem(path);
  if (problem !== undefined) return problem;
  if (path.split('/', 1)[0]?.toLowerCase() === OWN_FOLDER)
    return `${JSON.stringify(path)} is in the registry's own folder`;
  return undefined;
}

/** Why Windows cannot have a file of a model path: it takes what is behind a colon for a stream of the file, or a path on a drive. */
export function windowsPathProblem(path: string): string | undefined {
  const [character] = /[<>:"|?*]/.exec(path) ?? [];
  return character === undefined ? undefined : `${JSON.stringify(path)} has ${JSON.stringify(character)} in it`;
}

/** Walks the names of a path without taking it apart: it may have 1,500 of them. */
function namesProblem(path: string): string | undefined {
  for (let start = 0; start <= path.length; ) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    if (isPlainName(path, start, end)) {
      start = end + 1;
      continue;
    }
    const problem = nameProblem(path.slice(start, end), path);
    if (problem !== undefined) return problem;
    start = end + 1;
  }
  return undefined;
}

/** Whether a name can break no rule: short, with an end that may be one, and a start that no device name has. */
function isPlainName(path: string, start: number, end: number): boolean {
  const length = end - start;
  if (length === 0 || length * 3 > MAX_PATH_NAME_BYTES) return false;
  const last = path.charCodeAt(end - 1);
  if (last === DOT || last === SPACE) return false;
  return length < SHORTEST_DEVICE_NAME || !DEVICE_INITIALS.includes(path[start] as string);
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
  if (text.length * 3 <= maxBytes) return false;
  return text.length > maxBytes || (!isPlainText(text) && new TextEncoder().encode(text).length > maxBytes);
}

/** Printable ASCII, as nearly all paths are: a byte a character, and nothing in it that Unicode has rules for. */
function isPlainText(text: string): boolean {
  return !/[^ -~]/.test(text);
}

/** The first rule that a model's paths break together: two of one name after case folding, or a file that is also a folder. */
export function pathsProblem(paths: readonly string[]): string | undefined {
  return runAtOnce(findPathsProblem(paths));
}

/** The same in steps. Compares folders first, and then the names in each: paths share their folders, which may be long. */
export function* findPathsProblem(paths: readonly string[]): Steps<string | undefined> {
  const folders = yield* namesByFolder(paths);
  const sorted = yield* sortTexts([...folders.keys()]);
  for (const [i, folder] of sorted.entries()) {
    const names = new Set<string>();
    // What is below a folder begins with its name, and so does all that sorts in between.
    const hasFolders = sorted[i + 1]?.startsWith(folder) === true;
    for (const name of folders.get(folder) ?? []) {
      const path = `${folder}${name}`;
      if (names.has(name)) return `${JSON.stringify(path)} is there twice (upper and lower case are one)`;
      names.add(name);
      if (hasFolders && isFolder(sorted, `${path}/`, i + 1))
        return `${JSON.stringify(path)} is both a file and a folder`;
      if (names.size % PATHS_A_STEP === 0) yield;
    }
    if (i % PATHS_A_STEP === 0) yield;
  }
  return undefined;
}

/** The folded names in each folded folder, which has its slash with it. A slash parts what folds together, so each folds alone. */
function* namesByFolder(paths: readonly string[]): Steps<Map<string, string[]>> {
  const folders = new Map<string, string[]>();
  const known = new FolderMemory<string[]>();
  for (let i = 0; i < paths.length; i++) {
    const path = paths[i] as string;
    const slash = path.lastIndexOf('/') + 1;
    const folder = path.slice(0, slash);
    let names = known.get(folder);
    if (names === undefined) {
      const folded = foldCase(folder);
      names = folders.get(folded) ?? [];
      folders.set(folded, names);
      known.set(folder, names);
    }
    names.push(foldCase(path.slice(slash)));
    if (i % PATHS_A_STEP === 0) yield;
  }
  return folders;
}

/** Whether one of the sorted folders, from this one on, is this folder or below it. */
function isFolder(sorted: readonly string[], folder: string, from: number): boolean {
  let [low, high] = [from, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) < folder) low = middle + 1;
    else high = middle;
  }
  return sorted[low]?.startsWith(folder) === true;
}

/** Case folding as file systems do it: upper then lower, so that "ß" and "SS", "ſ" and "s" fall together; then NFC. */
export function foldCase(path: string): string {
  if (!NOT_ASCII.test(path)) return path.toLowerCase();
  return path.toUpperCase().toLowerCase().normalize('NFC');
}
