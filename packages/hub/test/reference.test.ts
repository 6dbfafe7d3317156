import { describe, expect, it } from '@jest/globals';
import { hubReferenceText, isHubReference, parseHubReference } from '../src/index.ts';

describe('a reference to a model of a hub', () => {
  it.each([
    ['hf:Qwen/Qwen2.5-0.5B', { repo: 'Qwen/Qwen2.5-0.5B' }],
    ['hf:gpt2', { repo: 'gpt2' }],
    ['hf:org/name@main', { repo: 'org/name', revision: 'main' }],
    ['hf:org/name@refs/pr/3', { repo: 'org/name', revision: 'refs/pr/3' }],
    [`hf:org/name@${'a'.repeat(40)}`, { repo: 'org/name', revision: 'a'.repeat(40) }],
  ])('is read from %s, and written so', (text, reference) => {
    expect(isHubReference(text)).toBe(true);
    expect(parseHubReference(text)).toEqual(reference);
    expect(hubReferenceText(parseHubReference(text))).toBe(text);
  });

  it.each([
    ...[
      'hf:',
      'hf:/',
      'hf:org/',
      'hf:/name',
      'hf:a/b/c',
      'hf:../etc',
      'hf:org/../x',
      'hf:org/na me',
      'hf:org/name?x=1',
    ],
    ...[
      'hf:org/name#x',
      'hf:org/na\nme',
      'hf:org/name@',
      'hf:org/name@../x',
      'hf:org/name@a b',
      'hf:-x/y',
      'hf:org/%2e%2e',
    ],
    ...['hf:org/name@a@b', 'hf:https://x.org/a', `hf:${'a'.repeat(97)}/b`],
  ])('is refused where it could name something else: %j', (text) => {
    expect(() => parseHubReference(text)).toThrow(expect.objectContaining({ code: 'bad_argument' }));
  });
});
