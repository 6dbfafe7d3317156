import { describe, expect, it } from '@jest/globals';
import { modelNameProblem, nameOfRepository, requireModelName, withAlias } from '../../src/hub/model-name.ts';

describe('the name of a model from a hub', () => {
  it.each([
    ['Qwen/Qwen2.5-0.5B', 'qwen2.5-0.5b', 'qwen2-5-0-5b'],
    ['org/whisper_large-v3', 'whisper_large-v3', 'whisper_large-v3'],
    ['gpt2', 'gpt2', 'gpt2'],
    ['org/latest', 'org-latest', 'org-latest'],
    ['org/DeadBeef', 'org-deadbeef', 'org-deadbeef'],
    ['org/CON', 'org-con', 'org-con'],
    ['12345678', '12345678-12345678', '12345678-12345678'],
    ['-x-/latest', 'hub-latest', 'hub-latest'],
  ])('%s is %s, with the alias %s', (repo, name, alias) => {
    expect(withAlias(nameOfRepository(repo))).toEqual({ name, alias });
    expect(modelNameProblem(name)).toBeUndefined();
  });

  it('is that of the weights, where they are one of several sets in the repository', () => {
    const name = nameOfRepository('org/Tiny-GGUF', 'q4/Tiny-Q4_K_M-00001-of-00002.gguf');
    expect(name).toBe('tiny-q4_k_m');
    expect(nameOfRepository('org/Tiny-GGUF', 'all.gguf')).toBe('tiny-gguf-all');
  });

  it.each([
    ...[
      '../x',
      'a/../b',
      '/a',
      'a\\b',
      'C:/x',
      '.',
      '..',
      '',
      'all',
      'org/Latest',
      'none',
      'null',
      'con',
      'org/nul.txt',
    ],
    ...['a@b', 'a:b', 'a\nb', 'a\u202eb', ' a', 'a ', '-rf', 'deadbeef', 'DEADBEEF12', '123456', 'a.', 'x'.repeat(129)],
    '.model-rtc/x',
  ])('%j is refused', (name) => {
    expect(() => requireModelName(name)).toThrow(/cannot be the name of a model: .* Choose another --name/);
  });

  it.each(['con', 'org/nul.txt', 'deadbeef', '../x', '', 'all'])(
    'is refused as %j with another one that can be used',
    (name) => {
      const { message } = thrownBy(() => requireModelName(name));
      const [, like = ''] = /such as "(.+)"/.exec(message) ?? [];
      expect(requireModelName(like)).toBe(like);
    },
  );

  it.each(['acme/tiny', 'Qwen2.5', 'a b', 'größer', 'v1.0'])('%j is taken as it is', (name) => {
    expect(requireModelName(name)).toBe(name);
  });
});

function thrownBy(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown.');
}
