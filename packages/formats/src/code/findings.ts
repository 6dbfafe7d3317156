import type { PickledGlobal } from '../pickle/values.ts';
import { isSuspiciousImport } from './suspicious-imports.ts';

/** What was found in one file. */
export interface Findings {
  /** Whether loading it runs code. */
  readonly isCode: boolean;
  /** What it imports that a model has no use for, and why parts of it could not be judged; sorted, no two the same. */
  readonly suspicious: readonly string[];
}

/** Bounds of an entry's `codeFiles`, see `codeFileSchema`. */
const MAX_SUSPICIOUS = 32;
const MAX_NAME_CHARS = 256;

/** In place of a name that is put together, or hidden, until the file is loaded. */
const HIDDEN_IMPORT = '(an import that only loading it would tell)';

export const ONLY_DATA: Findings = { isCode: false, suspicious: [] };
export const PLAIN_CODE: Findings = { isCode: true, suspicious: [] };

/** The findings of a file that holds, or may hold, code that cannot be looked at. */
export function unreadable(why: string): Findings {
  return { isCode: true, suspicious: [`(${why})`] };
}

export function suspiciousNames(imports: readonly PickledGlobal[]): string[] {
  return imports
    .filter(({ module, name }) => isSuspiciousImport(module, name))
    .map(({ module, name }) => (module === '?' && name === '?' ? HIDDEN_IMPORT : `${module}.${name}`));
}

/** The findings of a file from those of its parts. */
export function mergeFindings(parts: Iterable<Findings>): Findings {
  const names = new Set<string>();
  let isCode = false;
  for (const part of parts) {
    isCode ||= part.isCode;
    for (const name of part.suspicious) names.add(name.slice(0, MAX_NAME_CHARS));
  }
  return { isCode, suspicious: [...names].sort().slice(0, MAX_SUSPICIOUS) };
}
