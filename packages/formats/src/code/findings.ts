import type { OverBudgetError } from '../bytes/read-budget.ts';
import type { PickledGlobal } from '../pickle/values.ts';
import { isSuspiciousImport } from './suspicious-imports.ts';

/** What was found in one file. */
export interface Findings {
  /** Whether loading it runs code. */
  readonly isCode: boolean;
  /** Imports that no model needs, and why parts of the file could not be judged; sorted, without duplicates. */
  readonly suspicious: readonly string[];
  /** A part of it could not be examined, and `suspicious` says why, in brackets. */
  readonly unexamined?: true | undefined;
}

/** Bounds of an entry's `codeFiles`, see `codeFileSchema`. */
const MAX_SUSPICIOUS = 32;
const MAX_NAME_CHARS = 256;

/** Stands for a name that is computed or hidden until the file is loaded. */
const HIDDEN_IMPORT = '(an import that only loading it would tell)';

export const ONLY_DATA: Findings = { isCode: false, suspicious: [] };
export const PLAIN_CODE: Findings = { isCode: true, suspicious: [] };

/** The findings of a file that may hold code that nobody can examine. */
export function unreadable(why: string): Findings {
  return { isCode: true, suspicious: [`(${why})`], unexamined: true };
}

/** The findings of what the model's budget does not allow to examine. */
export function overBudget({ message }: OverBudgetError): Findings {
  return unreadable(message);
}

export function suspiciousNames(imports: readonly PickledGlobal[]): string[] {
  return imports
    .filter(({ module, name }) => isSuspiciousImport(module, name))
    .map(({ module, name }) => (module === '?' && name === '?' ? HIDDEN_IMPORT : `${module}.${name}`));
}

/** What a file imports that no model needs, and why parts of it could not be judged, apart from each other. */
export function splitSuspicious(suspicious: readonly string[]): { imports: string[]; reasons: string[] } {
  const imports: string[] = [];
  const reasons: string[] = [];
  for (const name of suspicious) {
    const reason = /^\((.*)\)$/.exec(name)?.[1];
    if (reason === undefined) imports.push(name);
    else reasons.push(reason);
  }
  return { imports, reasons };
}

/** Joins the findings of a file's parts. */
export function mergeFindings(parts: Iterable<Findings>): Findings {
  const names = new Set<string>();
  let isCode = false;
  let unexamined = false;
  for (const part of parts) {
    isCode ||= part.isCode;
    unexamined ||= part.unexamined === true;
    for (const name of part.suspicious) names.add(name.slice(0, MAX_NAME_CHARS));
  }
  const suspicious = [...names].sort().slice(0, MAX_SUSPICIOUS);
  return unexamined ? { isCode, suspicious, unexamined } : { isCode, suspicious };
}
