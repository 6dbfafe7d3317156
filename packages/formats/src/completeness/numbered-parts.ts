import { baseName } from '../file-names.ts';
import { folderOf, missing } from './folders.ts';
import type { Flaw, SetCheck } from './types.ts';

/** Missing parts that are named one by one. */
const MAX_NAMED = 20;
/** More parts than any model has. */
const MAX_PARTS = 100_000;

/** How the parts of one thing are numbered: `model-00001-of-00005.safetensors`, `model.gguf.part1of3`. */
const NUMBERED = /^(.*?)([-._]|\.?part)0*(\d{1,6})(-of-|of)(\d{1,6})(\.[A-Za-z0-9_.]+)?$/i;

/** A name's part of a set. */
export interface NumberedPart {
  /** What all names of the set have in common. */
  readonly set: string;
  readonly number: number;
  readonly total: number;
  /** The name of another part of the set. */
  nameOf(number: number): string;
}

/** Undefined for a name that tells no part. */
export function numberedPart(name: string): NumberedPart | undefined {
  const match = NUMBERED.exec(name);
  if (match === null) return undefined;
  const [, stem = '', mark = '', digits = '', of = '', totalDigits = '', ending = ''] = match;
  const [number, total] = [Number(digits), Number(totalDigits)];
  // With a dash before it, fewer digits are a date or a version: `run-1-of-3`.
  if (of.toLowerCase() === '-of-' && totalDigits.length < 2) return undefined;
  if (total < 1 || total > MAX_PARTS || number > total) return undefined;
  const width = name.slice(stem.length + mark.length).search(/[^0-9]/);
  return {
    set: `${stem}${mark}*${of}${totalDigits}${ending}`,
    number,
    total,
    nameOf: (other) => `${stem}${mark}${String(other).padStart(width, '0')}${of}${totalDigits}${ending}`,
  };
}

/** All parts of each set in numbered files. */
export const numberedParts: SetCheck = async ({ files }) => {
  const sets = new Map<string, { part: NumberedPart; folder: string; numbers: Set<number> }>();
  for (const { path } of files) {
    const part = numberedPart(baseName(path));
    if (part === undefined) continue;
    const folder = folderOf(path);
    const set = sets.get(folder + part.set) ?? { part, folder, numbers: new Set<number>() };
    sets.set(folder + part.set, set);
    set.numbers.add(part.number);
  }
  return [...sets.values()].flatMap(absentParts);
};

function absentParts(set: { part: NumberedPart; folder: string; numbers: ReadonlySet<number> }): Flaw[] {
  const { part, folder, numbers } = set;
  // TensorFlow counts from 0.
  const first = numbers.has(0) ? 0 : 1;
  const flaws: Flaw[] = [];
  for (let number = first; number < first + part.total && flaws.length < MAX_NAMED; number++) {
    if (numbers.has(number)) continue;
    const why = `it is one of ${part.total} parts, and ${numbers.size === 1 ? 'one is' : `${numbers.size} are`} there`;
    flaws.push(missing(folder + part.nameOf(number), why));
  }
  return flaws;
}
