import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aliasProblem, aliasSchema, parseAlias, suggestAlias } from '../src/index.ts';
import { anyText } from './support/code-points.ts';
import { failureOf } from './support/outcome.ts';
import { syntaxCases } from './support/syntax-cases.ts';

/** Reserved words, as models that were named by earlier versions may be called. */
const IN_CAPITALS = ['All', 'NONE'];

describe('an alias', () => {
  it.each(syntaxCases('alias-valid.txt') as string[])('may be %j', (text) => {
    expect(aliasSchema.safeParse(text)).toEqual({ success: true, data: text });
    if (!IN_CAPITALS.includes(text)) expect(parseAlias(text)).toBe(text);
  });

  it.each([...IN_CAPITALS, 'ALL', 'Latest'])('that is new cannot be %j, which earlier versions allowed', (text) => {
    expect(failureOf(() => parseAlias(text))).toMatchObject({ code: 'bad_argument', details: { alias: text } });
    expect(aliasProblem(suggestAlias(text))).toBeUndefined();
    expect(aliasSchema.safeParse(text).success).toBe(true);
  });

  it.each(syntaxCases('alias-invalid.txt') as string[])('cannot be %j, and the error offers one that can', (text) => {
    const error = failureOf(() => parseAlias(text));
    expect(error.code).toBe('bad_argument');
    expect(aliasProblem(String(error.details?.suggestion))).toBeUndefined();
    expect(aliasSchema.safeParse(text).success).toBe(false);
  });
});

describe('suggestAlias', () => {
  it.each([
    ['good mouse', 'good-mouse'],
    ['M\u00e4use (v2)', 'Mause-v2'],
    ['deadbeef', 'deadbeef-model'],
    ['latest', 'latest-model'],
    ['\u6a21\u578b', 'model'],
  ])('makes of %j the alias %j', (text, suggestion) => {
    expect(suggestAlias(text)).toBe(suggestion);
  });

  it('gives a valid alias for any text', () => {
    fc.assert(
      fc.property(fc.oneof(anyText(), fc.stringMatching(/^[0-9a-f]{8}$/)), (text) => {
        expect(aliasProblem(suggestAlias(text))).toBeUndefined();
      }),
    );
  });
});
