import { describe, expect, it } from '@jest/globals';
import type { SettingValue } from '@model-rtc/protocol';
import { checkSettings } from '../../src/runners/check-settings.ts';
import { type RunnerSetting, runnerSettingSchema } from '../../src/runners/setting-schema.ts';

type Declaration = Partial<Omit<RunnerSetting, 'type'>> & Pick<RunnerSetting, 'type'>;

function check(declaration: Declaration, value: SettingValue, arg = '{set.x}') {
  const setting = runnerSettingSchema.parse(declaration);
  const { values, texts } = checkSettings({ name: 'r', args: ['run', [arg]], set: { x: setting } }, { x: value });
  return { value: values.x, text: texts.get('x') };
}

describe('a setting', () => {
  it.each([
    [{ type: 'integer' }, '5', 5, '5'],
    [{ type: 'integer', min: -5 }, '-3', -3, '-3'],
    [{ type: 'number', min: 0, max: 1 }, '0.25', 0.25, '0.25'],
    [{ type: 'number' }, 1e21, 1e21, '1e+21'],
    [{ type: 'boolean' }, 'yes', true, 'true'],
    [{ type: 'boolean', flag: '--fast' }, true, true, '--fast'],
    [{ type: 'boolean', flag: '--fast' }, false, false, undefined],
    [{ type: 'string' }, 'a b; rm -rf / $(id) {model}', 'a b; rm -rf / $(id) {model}', 'a b; rm -rf / $(id) {model}'],
    [{ type: 'string', choices: ['-a', 'b'] }, '-a', '-a', '-a'],
    [{ type: 'integer', choices: [8, 16] }, '16', 16, '16'],
    [{ type: 'string', pattern: '[\\s\\S]*' }, '../a\nb', '../a\nb', '../a\nb'],
    [{ type: 'string' }, 7, '7', '7'],
  ] as const)('%j takes %j', (declaration, given, value, text) => {
    expect(check(declaration as Declaration, given)).toEqual({ value, text });
  });

  it.each([
    [{ type: 'integer' }, '5.5', 'a whole number'],
    [{ type: 'integer' }, '0x10', 'a whole number'],
    [{ type: 'integer' }, '', 'a whole number'],
    [{ type: 'integer', max: 4 }, '5', 'at most 4'],
    [{ type: 'number' }, 'Infinity', 'a number'],
    [{ type: 'number' }, Number.NaN, 'a number'],
    [{ type: 'number' }, true, 'a number'],
    [{ type: 'boolean' }, 'maybe', 'true or false'],
    [{ type: 'string', choices: ['a', 'b'] }, 'c', 'choose a, b'],
    [{ type: 'string', pattern: '[a-z]+' }, 'abc;', 'must match'],
    [{ type: 'string', pattern: '[a-z]+' }, 'x\nabc', 'must match'],
    [{ type: 'string' }, '-rf', 'must not start with "-"'],
    [{ type: 'string', pattern: '.*' }, '--output=/etc', 'must not start with "-"'],
    [{ type: 'string', pattern: '[\\s\\S]*' }, 'a\0b', 'NUL'],
    [{ type: 'string' }, 'a\nb', 'control character'],
    [{ type: 'string' }, '\u001b[31m', 'control character'],
    [{ type: 'string' }, '/etc/passwd', 'absolute path'],
    [{ type: 'string' }, '~/x', 'absolute path'],
    [{ type: 'string' }, 'a/../b', '".."'],
    [{ type: 'string' }, 'x'.repeat(1025), 'at most 1024'],
  ] as const)('%j refuses %j', (declaration, given, problem) => {
    expect(() => check(declaration as Declaration, given)).toThrow(problem);
  });

  it('may start with "-" where a pattern allows it and no argument begins with it', () => {
    const declaration = { type: 'string', pattern: '[-0-9.,]+' } as const;
    expect(check(declaration, '-1,2', '--mean={set.x}').text).toBe('-1,2');
    expect(() => check(declaration, '-1,2', '{set.x}')).toThrow('must not start with "-"');
    expect(() => check({ type: 'string' }, '-1,2', '--mean={set.x}')).toThrow('must not start with "-"');
  });

  it('has its default when the client says nothing, and no value without one', () => {
    const declared = {
      a: runnerSettingSchema.parse({ type: 'integer', default: 3 }),
      b: runnerSettingSchema.parse({ type: 'integer' }),
    };
    const { values, texts } = checkSettings({ name: 'r', args: ['run'], set: declared }, {});
    expect([values, Object.fromEntries(texts)]).toEqual([{ a: 3 }, { a: '3' }]);
  });

  it.each(['other', '__proto__', 'constructor'])('that the runner does not have is refused: %s', (key) => {
    const given = Object.fromEntries([[key, 1]]);
    const set = { conf: runnerSettingSchema.parse({ type: 'number' }) };
    expect(() => checkSettings({ name: 'yolo', args: ['yolo'], set }, given)).toThrow(
      `There is no setting "${key}". yolo has conf.`,
    );
  });

  it('is matched in bounded time, whatever its owner and its client write', () => {
    const declaration = { type: 'string', pattern: '(a+)+b', max: 4096 } as const;
    expect(() => check(declaration, `${'a'.repeat(4000)}c`)).toThrow('must match');
  });
});
