/** The kinds of settings that runners of presets have. */

interface Range {
  readonly min: number;
  readonly max: number;
  readonly default?: number;
}

export function integer(range: Range, description: string) {
  return { type: 'integer', ...range, description } as const;
}

export function number(range: Range, description: string) {
  return { type: 'number', ...range, description } as const;
}

export function text(rules: { pattern: string; max?: number; default?: string }, description: string) {
  return { type: 'string', ...rules, description } as const;
}

export function choice(rules: { choices: string[]; default?: string }, description: string) {
  return { type: 'string', ...rules, description } as const;
}

/** @param flag the argument that it stands for when it is true */
export function flag(flag: string, description: string) {
  return { type: 'boolean', flag, default: false, description } as const;
}
