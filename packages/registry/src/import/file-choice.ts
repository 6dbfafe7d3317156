import { ModelRtcError } from '@model-rtc/protocol';
import picomatch from 'picomatch';

/** Patterns that a person gives with one option; each is tried on each path. */
export const MAX_PATTERNS = 64;
const MAX_PATTERN_CHARS = 1024;

/** What a person says of the files of a folder, in place of the rules. */
export interface FileChoice {
  /** Whether files may be wanted that a rule leaves out. */
  readonly hasIncludes: boolean;
  /** Whether the file or folder is wanted, whatever a rule says of it. */
  includes(path: string): boolean;
  /** Whether it is left out, whatever else is said of it. */
  excludes(path: string): boolean;
}

/**
 * Reads glob patterns. One without a slash means files and folders of that name wherever they are, one with a slash a path
 * from the model's folder on; a folder stands for everything in it. What both lists name is left out.
 * @throws ModelRtcError `bad_argument` for a pattern that is empty or too long, or for too many of them
 */
export function createFileChoice(include: readonly string[] = [], exclude: readonly string[] = []): FileChoice {
  const [isIncluded, isExcluded] = [anyOf('--include', include), anyOf('--exclude', exclude)];
  return {
    hasIncludes: include.length > 0,
    includes: (path) => isIncluded(path) && !isExcluded(path),
    excludes: isExcluded,
  };
}

/** The same choice, for a folder in the one that it was made for. */
export function rebased({ hasIncludes, includes, excludes }: FileChoice, folder: string): FileChoice {
  return {
    hasIncludes,
    includes: (path) => includes(`${folder}/${path}`),
    excludes: (path) => excludes(`${folder}/${path}`),
  };
}

type Matcher = (path: string) => boolean;

function anyOf(option: string, patterns: readonly string[]): Matcher {
  if (patterns.length === 0) return () => false;
  if (patterns.length > MAX_PATTERNS) {
    throw new ModelRtcError('bad_argument', `Pass at most ${MAX_PATTERNS} patterns with ${option}.`);
  }
  const matchers = patterns.map((pattern) => matcherOf(option, pattern));
  // The files of a folder share what was found out about it.
  const folders = new Map<string, boolean>();
  const matches: Matcher = (path) => matchers.some((matcher) => matcher(path)) || isInMatched(path);
  const isInMatched: Matcher = (path) => {
    const slash = path.lastIndexOf('/');
    if (slash === -1) return false;
    const folder = path.slice(0, slash);
    const known = folders.get(folder) ?? matches(folder);
    folders.set(folder, known);
    return known;
  };
  return matches;
}

function matcherOf(option: string, pattern: string): Matcher {
  const text = pattern.normalize('NFC').replace(/^\.\//, '').replace(/\/+$/, '');
  if (text === '' || text.length > MAX_PATTERN_CHARS) {
    const sentence = `${JSON.stringify(pattern.slice(0, MAX_PATTERN_CHARS))} is no pattern for ${option}. Pass a name or a glob such as "*.sh" or "logs/**".`;
    throw new ModelRtcError('bad_argument', sentence, { details: { option } });
  }
  const basename = !text.includes('/');
  return picomatch(text.replace(/^\//, ''), { dot: true, basename, nonegate: true });
}
