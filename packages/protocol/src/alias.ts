import { ModelRtcError } from './errors.ts';

/** A person's name for a model, checked. */
export type Alias = string & { readonly __brand: 'Alias' };

const RESERVED = new Set(['all', 'latest', 'none', 'null']);

/** The rule that the text breaks as a sentence's end, or undefined when it can be a new alias. */
export function aliasProblem(text: string): string | undefined {
  return formProblem(text) ?? (RESERVED.has(text.toLowerCase()) ? `"${text}" is a reserved word` : undefined);
}

/** The same for an alias that a model has. Earlier versions let people choose a reserved word in capitals. */
export function storedAliasProblem(text: string): string | undefined {
  return RESERVED.has(text) ? aliasProblem(text) : formProblem(text);
}

function formProblem(text: string): string | undefined {
  if (text.length === 0) return 'an alias has at least 1 character';
  if (text.length > 64) return 'an alias has at most 64 characters';
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return 'an alias is made of A-Z, a-z, 0-9, "_" and "-"';
  if (!/^[A-Za-z0-9].*$/.test(text) || !/[A-Za-z0-9]$/.test(text))
    return 'an alias starts and ends with a letter or digit';
  if (/^[0-9a-fA-F]{8}$/.test(text)) return '8 hex characters would look like a model id';
  return undefined;
}

/** @throws ModelRtcError `bad_argument` with the broken rule and a valid suggestion. */
export function parseAlias(text: string): Alias {
  const problem = aliasProblem(text);
  if (problem === undefined) return text as Alias;
  throw new ModelRtcError('bad_argument', `"${text}" cannot be an alias: ${problem}. Try "${suggestAlias(text)}".`, {
    details: { alias: text, rule: problem, suggestion: suggestAlias(text) },
  });
}

/** Letters that no normal form takes apart, as people write them without. */
const WHOLE_LETTERS: Readonly<Record<string, string>> = {
  ...{ ß: 'ss', ẞ: 'SS', æ: 'ae', Æ: 'AE', œ: 'oe', Œ: 'OE', ø: 'o', Ø: 'O', ł: 'l', Ł: 'L', đ: 'd', Đ: 'D' },
  ...{ ð: 'd', Ð: 'D', þ: 'th', Þ: 'Th', ı: 'i', ħ: 'h', Ħ: 'H', ŧ: 't', Ŧ: 'T', ŋ: 'n', Ŋ: 'N', ĸ: 'k' },
};

/** The nearest valid alias to any text; `model` when nothing of it can be kept. */
export function suggestAlias(text: string): Alias {
  const kept = text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[^ -~]/g, (letter) => WHOLE_LETTERS[letter] ?? letter)
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 58)
    .replace(/[^A-Za-z0-9]+$/, '');
  if (kept === '') return 'model' as Alias;
  return (aliasProblem(kept) === undefined ? kept : `${kept}-model`) as Alias;
}

/** The alias that another machine has for a model; one like it where an earlier version allowed what no new alias can be. */
export function allowedAlias(alias: Alias | undefined): Alias | undefined {
  return alias === undefined || aliasProblem(alias) === undefined ? alias : suggestAlias(alias);
}
