import { describe, expect, it } from '@jest/globals';
import { identityFromSeed } from '@model-rtc/protocol';
import { signHead } from '../../src/core/catalog/head.ts';
import { requireOwnWords } from '../../src/core/catalog/own-words.ts';
import { MESH_ID, START_MS, seedOf } from '../support/people.ts';

const many = (count: number, name: string) => Array.from({ length: count }, (_, i) => `${name}${i}`);
const values = (count: number) => Object.fromEntries(many(count, 'p').map((name) => [name, 'x'.repeat(256)]));

describe('what a person lets a node say of itself', () => {
  it('can be announced in a catalog, as much as is allowed', () => {
    const [tags, properties] = [many(32, 't'.repeat(60)), values(48)];
    requireOwnWords(tags, properties);
    const own = { ...{ name: 'anna', role: 'worker' as const, tags, properties, urls: [] }, models: [] };
    const head = { meshId: MESH_ID, own, sequence: 1, nowMs: START_MS, ttlMs: 300_000 };
    expect(signHead(identityFromSeed(seedOf(1)), head).record.kind).toBe('model_catalog');
  });

  it.each<[string, string[], Record<string, string>]>([
    ['--tag', ['\u001b[31mred'], {}],
    ['--tag', ['x'.repeat(65)], {}],
    ['--tag', [''], {}],
    ['--tag', many(33, 't'), {}],
    ['--property room', [], { room: 'B\u202e12' }],
    ['--property room', [], { room: '' }],
    ['--property', [], values(49)],
  ])('is refused with the name of the option: %s %#', (option, tags, properties) => {
    expect(() => requireOwnWords(tags, properties)).toThrow(
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be in a message
      expect.objectContaining({ code: 'bad_argument', message: expect.not.stringMatching(/[\u0000-\u001f]/) }),
    );
    expect(() => requireOwnWords(tags, properties)).toThrow(option);
  });
});
