import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { parseSettings } from '../../../src/commands/track/settings.ts';

function failureOf(texts: readonly string[]): ModelRtcError {
  try {
    parseSettings(texts);
  } catch (error) {
    return ModelRtcError.from(error);
  }
  throw new Error('they were taken');
}

describe('--set', () => {
  it('takes values as they are: the worker reads them', () => {
    const given = ['batch=4', 'name=a=b', 'empty=', 'evil=; rm -rf /', 'hole={model}', 'lines=a\nb', 'up=../../x'];
    expect(parseSettings(given)).toEqual({
      ...{ batch: '4', name: 'a=b', empty: '', evil: '; rm -rf /', hole: '{model}', lines: 'a\nb', up: '../../x' },
    });
  });

  it.each([['batch'], ['=4'], ['a b=4'], ['4x=1'], ['__proto__=1'], ['../x=1'], ['x;y=1'], [`x=${'y'.repeat(4097)}`]])(
    'refuses %j',
    (text) => {
      expect(failureOf([text])).toMatchObject({ code: 'bad_argument', exitCode: 2 });
    },
  );

  it('refuses a setting that is given twice', () => {
    expect(failureOf(['x=1', 'x=2']).message).toContain('"x" is given twice');
  });
});
