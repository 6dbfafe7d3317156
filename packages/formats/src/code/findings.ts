import type { PickledGlobal } from '../pickle/values.ts';
import { isSuspiciousImport } from './suspicious-imports.ts';

/** What was found in one file. */
export interface Findings {
  /** Whether loading it runs code. */
  readonly isCode: boolean;
  /** Imports that no model needs, and why parts of the file could not be judged; sorted, without duplicates. */
  readonly suspicious: readonly string[];
}

/** Bounds of an entry's `codeFiles`, see `codeFileSchema`. */
const MAX_SUSPICIOUS = 32;
const MAX_NAME_CHARS = 256;

/** Stands for a name that is computed or hidden until the file is loaded. */
const HIDDEN_IMPORT = '(an import that only loading it would tell)';

export const ONLY_DATA: Findings = { isCode: false, suspicious: [] };
export const PLAIN_CODE: Findings = { isCode: true, suspicious: [] };

/** The findings of a file that may hold code that nobody can inspect. */
export function unreadable(why: string): Findings {
  return { isCode: true, suspicious: [`(${why})`] };
}

export function suspiciousNames(imports: readonly PickledGlobal[]): string[] {
  return imports
    .filter(({ module, name }) => isSuspiciousImport(module, name))
    .map(({ module, name }) => (module === '?' && name === '?' ? HIDDEN_IMPORT : `${module}.${name}`));
}

/** Joins the findings of a file's parts. */
export function mergeFindings(parts: Iterable<Findings>): Findings {
  const names = new Set<string>();
  let isCode = false;
  for (const part of parts) {
    isCode ||= part.isCode;
    for (const name of part.suspicious) names.add(name.slice(0, MAX_NAME_CHARS));
  }
  return { isCode, suspicious: [...names].sort().slice(0, MAX_SUSPICIOUS) };
}
