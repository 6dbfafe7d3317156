import { FREE_PATHS_BYTES, MAX_MEAN_PATH_BYTES, MAX_PATH_BYTES, MAX_PATH_NAME_BYTES } from './limits.ts';
import { mapInSteps, runAtOnce, type Steps, sortTexts } from './steps.ts';

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
const SLASH = 0x2f;
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

/** Why the paths of what may be files are too long together, if they are. */
export function pathsLengthProblem(files: readonly unknown[]): string | undefined {
  const max = Math.max(FREE_PATHS_BYTES, files.length * MAX_MEAN_PATH_BYTES);
  const bytes = sumPaths(files, ({ length }) => length);
  // A unit of a string is 1 to 3 bytes: what surely fits is not encoded.
  const isOver = bytes > max || (bytes * 3 > max && sumPaths(files, byteLength) > max);
  return isOver ? `the paths of ${files.length} files have more than ${max} bytes together` : undefined;
}

function sumPaths(files: readonly unknown[], lengthOf: (path: string) => number): number {
  let sum = 0;
  for (const file of files) {
    if (typeof file !== 'object' || file === null || !('path' in file)) continue;
    if (typeof file.path === 'string') sum += lengthOf(file.path);
  }
  return sum;
}

function byteLength(path: string): number {
  return isPlainText(path) ? path.length : new TextEncoder().encode(path).length;
}

/** The first rule that a model's paths break together: two of one name after case folding, or a file that is also a folder. */
export function pathsProblem(paths: readonly string[]): string | undefined {
  return runAtOnce(findPathsProblem(paths));
}

/** The same in steps. A path and what is below it are near each other once they are sorted. */
export function* findPathsProblem(paths: readonly string[]): Steps<string | undefined> {
  const sorted = yield* sortTexts(yield* mapInSteps(paths, foldCase));
  for (let i = 0; i + 1 < sorted.length; i++) {
    const [path, next] = [sorted[i] as string, sorted[i + 1] as string];
    if (path === next) return `${JSON.stringify(path)} is there twice (upper and lower case are one)`;
    // What goes on with a character behind the slash is behind all that is below the path.
    if (next.charCodeAt(path.length) <= SLASH && next.startsWith(path) && isFolder(sorted, path, i + 1)) {
      return `${JSON.stringify(path)} is both a file and a folder`;
    }
    if (i % PATHS_A_STEP === 0) yield;
  }
  return undefined;
}

/** Whether one of the sorted paths, from this one on, is below a path. */
function isFolder(sorted: readonly string[], path: string, from: number): boolean {
  const folder = `${path}/`;
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
