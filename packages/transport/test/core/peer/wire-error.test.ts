import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { toWireError } from '../../../src/core/peer/wire-error.ts';

describe('an error for the other side', () => {
  it('is what was said on purpose, with its details', () => {
    const error = new ModelRtcError('not_found', 'No model "a".', { details: { ref: 'a' }, cause: new Error('inner') });
    expect(toWireError(error)).toEqual({ code: 'not_found', message: 'No model "a".', details: { ref: 'a' } });
  });

  it.each([
    [
      'a full disk',
      Object.assign(new Error("ENOSPC: no space left, write '/home/me/x'"), { code: 'ENOSPC' }),
      'storage_full',
    ],
    [
      'a permission',
      Object.assign(new Error("EACCES: permission denied, open '/home/me/x'"), { code: 'EACCES' }),
      'storage',
    ],
    ['a programming error', new TypeError('/home/me/x is undefined'), 'unexpected'],
    ['no error at all', 'thrown /home/me/x', 'unexpected'],
    ['nothing', undefined, 'unexpected'],
    ['null', null, 'unexpected'],
  ])('tells the kind of %s and no path', (_, thrown, code) => {
    for (const error of [thrown, ModelRtcError.from(thrown)]) {
      const data = toWireError(error);
      expect(data.code).toBe(code);
      expect(JSON.stringify(data)).not.toContain('/home');
    }
  });

  it('keeps its sentence when it was wrapped as it is', () => {
    const inner = new ModelRtcError('token_revoked', 'Revoked.');
    expect(toWireError(new ModelRtcError('token_revoked', 'Revoked.', { cause: inner })).message).toBe('Revoked.');
  });

  it('is cut to what the protocol takes', () => {
    expect(toWireError(new ModelRtcError('storage', 'x'.repeat(9_999))).message).toHaveLength(4_096);
  });

  it.each([{ big: 'x'.repeat(100_000) }, { circle: circle() }])('loses details that cannot be sent', (details) => {
    expect(toWireError(new ModelRtcError('storage', 'No.', { details }))).toEqual({
      code: 'storage',
      message: 'No.',
    });
  });
});

function circle(): object {
  const it: { self?: object } = {};
  it.self = it;
  return it;
}
