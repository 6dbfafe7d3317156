import { ModelRtcError } from '@model-rtc/protocol';
import type { MeshProperty } from '../../types.ts';

/** How a property is compared with a value. */
const COMPARISONS = ['>=', '<=', '!=', '>', '<', '='] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** One thing that a node must have. */
export interface Condition {
  readonly property: string;
  readonly comparison: Comparison;
  readonly value: MeshProperty;
}

/** The operators of the JSON form. */
const OPERATORS: Readonly<Record<string, Comparison>> = {
  $gte: '>=',
  $lte: '<=',
  $gt: '>',
  $lt: '<',
  $eq: '=',
  $ne: '!=',
};

/** Bounds on what a person, or a program in a person's name, can ask. */
const MAX_WHERE_CHARS = 4096;
const MAX_CONDITIONS = 32;
const PROPERTY = /^[a-z][a-z0-9_.-]{0,63}/i;

/**
 * Reads conditions: `gpu_memory >= 16`, several joined by `and` or a comma, or the JSON form
 * `{"gpu_memory": {"$gte": 16}, "platform": "linux"}`. All of them must hold.
 *
 * @throws ModelRtcError `bad_argument` that shows where the text stops making sense
 */
export function parseWhere(text: string): readonly Condition[] {
  if (text.length > MAX_WHERE_CHARS) throw badWhere(`it has more than ${MAX_WHERE_CHARS} characters`);
  const conditions = text.trimStart().startsWith('{') ? jsonConditions(text) : textConditions(text);
  if (conditions.length > MAX_CONDITIONS) throw badWhere(`it has more than ${MAX_CONDITIONS} conditions`);
  return conditions;
}

function textConditions(text: string): Condition[] {
  const conditions: Condition[] = [];
  let rest = text.trim();
  for (;;) {
    const property = PROPERTY.exec(rest)?.[0];
    if (property === undefined) throw badAt(text, rest, 'the name of a property');
    rest = rest.slice(property.length).trimStart();
    const comparison = COMPARISONS.find((one) => rest.startsWith(one));
    if (comparison === undefined) throw badAt(text, rest, `one of ${COMPARISONS.join(' ')}`);
    // "==" is what programmers write.
    const isDoubled = comparison === '=' && rest.startsWith('==');
    rest = rest.slice(isDoubled ? 2 : comparison.length).trimStart();
    const { value, length } = readValue(text, rest);
    conditions.push(checkOrdered({ property, comparison, value }));
    rest = rest.slice(length).trimStart();
    if (rest === '') return conditions;
    const joint = /^(?:,|&&|and(?=\s))\s*/i.exec(rest)?.[0];
    if (joint === undefined) throw badAt(text, rest, '"and" or the end');
    rest = rest.slice(joint.length);
  }
}

/** A value may be quoted; a bare one ends at white space, a comma or an ampersand. */
function readValue(text: string, rest: string): { readonly value: MeshProperty; readonly length: number } {
  const quoted = /^"([^"]*)"|^'([^']*)'/.exec(rest);
  if (quoted !== null) return { value: quoted[1] ?? quoted[2] ?? '', length: quoted[0].length };
  const bare = /^[^\s,&"'<>=!]+/.exec(rest)?.[0];
  if (bare === undefined) throw badAt(text, rest, 'a value');
  return { value: bareValue(bare), length: bare.length };
}

function bareValue(bare: string): MeshProperty {
  if (bare === 'true' || bare === 'false') return bare === 'true';
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(bare) ? Number(bare) : bare;
}

function jsonConditions(text: string): Condition[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw badWhere('it begins like JSON and is not valid JSON', cause);
  }
  return Object.entries(parsed as object).flatMap(([property, wanted]) => {
    if (PROPERTY.exec(property)?.[0] !== property) throw badWhere(`${JSON.stringify(property)} is no property's name`);
    if (isProperty(wanted)) return [{ property, comparison: '=' as const, value: wanted }];
    if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted) || Object.keys(wanted).length === 0) {
      throw badWhere(`"${property}" takes a value, or an object such as {"$gte": 16}`);
    }
    return Object.entries(wanted).map(([operator, value]) => operatorCondition(property, operator, value));
  });
}

function operatorCondition(property: string, operator: string, value: unknown): Condition {
  const comparison = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  if (comparison === undefined) {
    throw badWhere(
      `"${property}" has the operator ${JSON.stringify(operator)}; use ${Object.keys(OPERATORS).join(' ')}`,
    );
  }
  if (!isProperty(value)) throw badWhere(`"${property}" must be compared with a number, a text, true or false`);
  return checkOrdered({ property, comparison, value });
}

function isProperty(value: unknown): value is MeshProperty {
  return (
    typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  );
}

/** Only numbers have an order that everyone agrees on. */
function checkOrdered(condition: Condition): Condition {
  const { property, comparison, value } = condition;
  const isOrdered = comparison !== '=' && comparison !== '!=';
  if (isOrdered && typeof value !== 'number') {
    throw badWhere(`"${property} ${comparison}" needs a number, not ${JSON.stringify(value)}`);
  }
  return condition;
}

function badAt(text: string, rest: string, expected: string): ModelRtcError {
  const at = text.trimEnd().length - rest.length;
  const found = rest === '' ? 'the end' : JSON.stringify(rest.slice(0, 20));
  return badWhere(`expected ${expected} at character ${at + 1}, found ${found}`);
}

function badWhere(reason: string, cause?: unknown): ModelRtcError {
  return new ModelRtcError(
    'bad_argument',
    `Cannot read the condition: ${reason}. Write it like 'gpu_memory >= 16 and platform = linux', or as JSON: '{"gpu_memory": {"$gte": 16}}'.`,
    { cause },
  );
}
