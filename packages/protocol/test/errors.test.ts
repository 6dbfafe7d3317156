import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES, type ErrorCode, isErrorCode, ModelRtcError } from '../src/index.ts';

describe('ModelRtcError', () => {
  it('gives each code one of the documented exit codes', () => {
    const exitCodes = Object.values(ERROR_CODES).map(({ exitCode }) => exitCode);
    expect([...new Set(exitCodes)].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 130]);
  });

  it('knows its exit code and what may mend it', () => {
    const busy = new ModelRtcError('busy', 'The worker is busy; try again.');
    expect([busy.exitCode, busy.recoversBy('back_off'), busy.recoversBy('reconnect')]).toEqual([9, true, false]);
    const refused = new ModelRtcError('refused', 'No.');
    expect([refused.exitCode, refused.recoversBy('reconnect', 'wait', 'back_off', 'restart', 'stopped')]).toEqual([
      8,
      false,
    ]);
    expect([refused.has('ends_session'), refused.has('no_model'), busy.has('no_model')]).toEqual([true, false, false]);
  });

  it('crosses the wire as data and comes back the same', () => {
    const error = new ModelRtcError('alias_taken', 'It is taken.', { details: { owner: 'abababab' } });
    const back = ModelRtcError.fromData(JSON.parse(JSON.stringify(error.toData())));
    expect(back).toBeInstanceOf(ModelRtcError);
    expect(back.toData()).toEqual(error.toData());
  });

  it('leaves details out of the data when there are none', () => {
    expect(Object.keys(new ModelRtcError('busy', 'x').toData())).toEqual(['code', 'message']);
  });

  it('takes a code of a newer version as unexpected', () => {
    const error = ModelRtcError.fromData({ code: 'quota_used_up', message: 'Your quota is used up.' });
    expect([error.code, error.message]).toEqual(['unexpected', 'Your quota is used up.']);
    expect(ModelRtcError.fromData({ code: 'toString', message: '' }).code).toBe('unexpected');
    expect(isErrorCode('constructor')).toBe(false);
  });

  it.each<[string, ErrorCode]>([
    ['ENOSPC', 'storage_full'],
    ['EACCES', 'storage'],
    ['EFBIG', 'storage'],
    ['ENOTDIR', 'storage'],
    ['ELOOP', 'storage'],
    ['EISDIR', 'storage'],
    ['ECONNREFUSED', 'network'],
    ['ENOENT', 'unexpected'],
    ['constructor', 'unexpected'],
  ])('maps the system error %s to %s and keeps it as the cause', (code, expected) => {
    const thrown = Object.assign(new Error('it failed'), { code });
    const error = ModelRtcError.from(thrown);
    expect([error.code, error.message]).toEqual([expected, 'it failed']);
    expect(error.cause).toBe(thrown);
  });

  it('takes any thrown value', () => {
    const known = new ModelRtcError('busy', 'x');
    expect(ModelRtcError.from(known)).toBe(known);
    expect(ModelRtcError.from({ name: 'AbortError' }).code).toBe('cancelled');
    expect(ModelRtcError.from({ name: 'ModelRtcError', code: 'not_found', message: 'gone' }).code).toBe('not_found');
    for (const odd of [undefined, null, 'text', 7, {}, Symbol('s')])
      expect(ModelRtcError.from(odd).code).toBe('unexpected');
  });
});
