import { describe, expect, it } from '@jest/globals';
import { parseRunner } from '@model-rtc/jobs';
import { fillArgs, hasPlaceholder, writesIntoFolder } from '../../src/runners/placeholders.ts';
import type { ArgTemplate, PlaceholderValues } from '../../src/runners/types.ts';

const VALUES: PlaceholderValues = {
  models: ['/models/a', '/models/b'],
  checkpoint: '/models/a/best.ckpt',
  config: undefined,
  inputs: ['/input/1/x.mp4', '/input/2/y.mp4'],
  output: '/output/result',
  settings: new Map(),
};

function fill(args: readonly ArgTemplate[], settings: Readonly<Record<string, string>> = {}): string[] {
  return fillArgs(args, { ...VALUES, settings: new Map(Object.entries(settings)) });
}

describe('fillArgs', () => {
  it('replaces placeholders within their own argument', () => {
    const args = ['run', '{model}', '--weights={checkpoint}', '{input}', '{output}.slp', 'plain', '{"json": 1}'];
    expect(fill(args)).toEqual([
      ...['run', '/models/a', '--weights=/models/a/best.ckpt', '/input/1/x.mp4', '/output/result.slp', 'plain'],
      '{"json": 1}',
    ]);
  });

  it('repeats an argument with a list, once for each item', () => {
    expect(fill(['run', '--model={models}', '{inputs}'])).toEqual([
      ...['run', '--model=/models/a', '--model=/models/b', '/input/1/x.mp4', '/input/2/y.mp4'],
    ]);
  });

  it.each([
    ['a placeholder', '{model}'],
    ['another setting', '{set.b}'],
    ['a shell command', '; rm -rf / #'],
    ['a substitution', '$(id) `id` $HOME'],
    ['a replacement pattern', "$& $1 $' $`"],
    ['lines', 'one\ntwo'],
    ['blanks and quotes', ` ' " \\ `],
  ])('never looks at a value again: %s', (_, value) => {
    expect(fill(['run', '--name={set.a}'], { a: value, b: 'other' })).toEqual(['run', `--name=${value}`]);
  });

  it('leaves out an argument or a group with a setting that has no value', () => {
    const args = ['run', '--a={set.a}', ['--b', '{set.b}'], ['--c', '{set.c}']];
    expect(fill(args, { c: '3' })).toEqual(['run', '--c', '3']);
  });

  it('refuses a job that lacks what an argument needs', () => {
    expect(() => fill(['run', '{config}'])).toThrow('needs a model with a configuration file');
    expect(() => fillArgs(['run', '{input}'], { ...VALUES, inputs: [] })).toThrow('needs data');
  });
});

describe('the arguments of a runner', () => {
  const parse = (args: readonly ArgTemplate[]) => parseRunner({ name: 'r', args, set: { conf: { type: 'number' } } });

  it.each([
    [['run', '{modle}'], '{modle} is no placeholder. Use {models}'],
    [['run', '{set.other}'], '{set.other} is no placeholder'],
    [['{model}'], 'clients would choose it'],
    [['{set.conf}/run'], 'clients would choose it'],
    [[''], "must start with the program's name"],
    [[['run']], "must start with the program's name"],
    [['run', '{models}{inputs}'], 'has two lists'],
    [['run', 'a\0b'], 'NUL'],
    [[], 'args'],
  ])('%j are refused', (args, problem) => {
    expect(() => parse(args as ArgTemplate[])).toThrow(problem);
  });
});

describe('what arguments ask for', () => {
  it('is read from groups too', () => {
    const args = ['run', ['--models', '{models}']];
    expect(['models', 'model', 'run'].map((name) => hasPlaceholder(args, name))).toEqual([true, false, false]);
  });

  it('is a folder to write to where something stands below the output', () => {
    expect(writesIntoFolder(['run', '--save={output}/predictions.npy'])).toBe(true);
    expect(writesIntoFolder(['run', '{output}.npy', '{output}'])).toBe(false);
  });
});
