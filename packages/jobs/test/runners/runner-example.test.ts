import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { parseRunner } from '../../src/runners/runner-store.ts';

const page = await readFile(new URL('../../../../docs/track.md', import.meta.url), 'utf8');

describe('the runner in docs/track.md', () => {
  it('is one that the schema takes', () => {
    const [, example = ''] = /### Your own\n\n```json\n(.*?)```/s.exec(page) ?? [];
    expect(parseRunner(JSON.parse(example))).toMatchObject({ name: 'count', limits: { time: 7200, memory: 8e9 } });
  });
});

describe('a field that no runner has', () => {
  it.each([
    [{ confined: true }, /confined/],
    [{ limits: { memroy: '8GB' } }, /memroy/],
    [{ set: { x: { type: 'integer', maximum: 5 } } }, /maximum/],
  ])('is refused: %j', (more, message) => {
    expect(() => parseRunner({ name: 'x', args: ['x'], ...more })).toThrow(message);
  });
});
