import { describe, expect, it } from '@jest/globals';
import type { Digest } from '@model-rtc/protocol';
import { ModelList, readings } from '../../src/index.ts';

const HASH = 'a'.repeat(64) as Digest;

function listOf(value: unknown): ModelList {
  return ModelList.parse(JSON.stringify(value));
}

function failure(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const list = listOf({
  'fast-whisper': {
    tiny: { fp16: { hash: HASH, metadata: { license: 'MIT' } }, latest: { alias: 'good' }, good: { alias: 'fp16' } },
    base: { int8: { hash: HASH } },
  },
  acme: { 'a/b': { 'x@y': { hash: HASH, digest: 'b'.repeat(64) } } },
});

describe('a list of models', () => {
  it('finds a version, and what an alias of an alias leads to', () => {
    const found = list.find({ group: 'fast-whisper', model: 'tiny', version: 'fp16' });
    expect(found).toEqual({
      ...{
        group: 'fast-whisper',
        model: 'tiny',
        version: 'fp16',
        hash: HASH,
        digest: undefined,
        size: undefined,
        alias: undefined,
      },
      metadata: { license: 'MIT' },
    });
    expect(list.find({ group: 'fast-whisper', model: 'tiny', version: 'latest' })).toMatchObject({
      version: 'fp16',
      alias: 'latest',
    });
  });

  it('finds one by a single word, without a version where that is clear', () => {
    expect(list.resolve('fast-whisper/tiny@fp16').version).toBe('fp16');
    expect(list.resolve('fast-whisper/tiny').alias).toBe('latest');
    expect(list.resolve('fast-whisper/base').version).toBe('int8');
    expect(list.resolve('acme/a/b@x@y')).toMatchObject({ model: 'a/b', version: 'x@y' });
    expect(list.withDigest('b'.repeat(64) as Digest)).toMatchObject({ group: 'acme' });
    expect(list.withDigest(HASH)).toBeUndefined();
  });

  it('says what there is instead of what is not there', () => {
    const asked = { group: 'fast-whisper', model: 'tiny', version: 'fp32' };
    const problems: [object, string, string][] = [
      [asked, 'version_not_found', 'It has: fp16, latest, good.'],
      [{ ...asked, model: 'huge' }, 'model_not_found', 'It has: tiny, base.'],
      [{ ...asked, group: 'slow' }, 'group_not_found', 'It has: fast-whisper, acme.'],
    ];
    for (const [wanted, problem, advice] of problems) {
      const error = failure(() => list.find(wanted as typeof asked)) as Error;
      expect(error).toMatchObject({ code: 'not_found', details: { problem } });
      expect(error.message).toContain(advice);
    }
    const several = listOf({ g: { m: { '1': { hash: HASH }, '2': { hash: HASH } } } });
    expect((failure(() => several.resolve('g/m')) as Error).message).toContain('g/m@1');
  });

  it('refuses aliases that lead round in a circle or nowhere', () => {
    const broken = listOf({
      g: { m: { a: { alias: 'b' }, b: { alias: 'a' }, c: { alias: 'gone' }, d: { alias: 'd' } } },
    });
    for (const version of ['a', 'b', 'c', 'd']) {
      expect(failure(() => broken.find({ group: 'g', model: 'm', version }))).toMatchObject({
        code: 'invalid_model',
        details: { problem: 'registry_invalid' },
      });
    }
    const long = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`v${i}`, { alias: `v${i + 1}` }]));
    expect(failure(() => listOf({ g: { m: long } }).resolve('g/m@v0'))).toMatchObject({ code: 'invalid_model' });
  });

  it('passes over what others put there, and keeps it', () => {
    const others = {
      $schema: 'https://example.org/list.json',
      version: 2,
      list: [1],
      g: { description: 'ours', m: { '1': { hash: HASH, added: true }, notes: 'x', bad: { hash: 'xyz' }, none: {} } },
      empty: { m: {} },
    };
    const parsed = listOf(others);
    expect(parsed.groups()).toEqual(['g']);
    expect(parsed.models('g')).toEqual(['m']);
    expect(parsed.versions('g', 'm').map(({ version }) => version)).toEqual(['1']);
    expect(parsed.raw).toEqual(others);
  });

  it('knows nothing by the names that every object inherits, unless the list has them', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      expect(list.versions(name, name)).toEqual([]);
      const named = ModelList.parse(`{"${name}": {"${name}": {"${name}": {"hash": "${HASH}"}}}}`);
      expect(named.resolve(`${name}/${name}@${name}`).hash).toBe(HASH);
      expect(JSON.stringify(named.raw)).toContain(name);
    }
  });

  it('shows no name with characters that move the cursor or turn the text', () => {
    const hostile = listOf({
      'a\u001b[2Jb': { m: { '1': { hash: HASH } } },
      'x\u202ey': { m: { '1': { hash: HASH } } },
    });
    expect(hostile.groups()).toEqual([]);
  });

  it.each(['', 'null', '[]', '"x"', '12', '{', '<html>'])('is not %s', (text) => {
    expect(failure(() => ModelList.parse(text))).toMatchObject({ code: 'invalid_model' });
  });
});

describe('one word for a version', () => {
  it('is read in every way that its slashes and at signs allow, the longest name first', () => {
    expect(readings('g/m@1')).toEqual([
      { group: 'g', model: 'm', version: '1' },
      { group: 'g', model: 'm@1', version: undefined },
    ]);
    expect(readings('mouse')).toEqual([]);
    expect(readings('/m@')).toEqual([]);
  });
});
