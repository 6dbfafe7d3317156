import { describe, expect, it } from '@jest/globals';
import { ModelRtcError, parseAlias } from '@model-rtc/protocol';
import { ModelRtcError as ByPath } from '../../packages/protocol/src/errors.ts';
// @ts-expect-error: JavaScript, since jest loads it as it is
import { inSources } from '../support/joined/run-script.js';

function refusal(): ModelRtcError {
  try {
    parseAlias('two words');
  } catch (error) {
    return ModelRtcError.from(error);
  }
  throw new Error('it was taken');
}

describe('the sources in one script', () => {
  it('are evaluated once, whether a test imports a package or a file of it', () => {
    expect(ByPath).toBe(ModelRtcError);
  });

  it('make their objects in the context of the test', () => {
    const { details } = refusal();
    expect(details).toBeInstanceOf(Object);
    expect(refusal()).toBeInstanceOf(Error);
  });

  it('are named with their own lines in the stack of a failure', () => {
    const { stack = '' } = refusal();
    expect(stack).not.toContain('packages/protocol/src');
    expect(inSources(stack)).toMatch(/at parseAlias \(\S*packages\/protocol\/src\/alias\.ts:\d+:\d+\)\n/);
    const shown = stack.replaceAll(process.cwd(), '.').replaceAll('./', '');
    expect(inSources(shown)).toMatch(/at parseAlias \(packages\/protocol\/src\/alias\.ts:\d+:\d+\)\n/);
    expect(inSources('Error: none\n    at /x.js:1:2')).toBe('Error: none\n    at /x.js:1:2');
  });
});
