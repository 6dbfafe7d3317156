import { describe, expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { leftOutBecause } from '../../src/watch/left-out.ts';

const flaw = (kind: string, path: string) => ({ kind, path, problem: `is ${kind}` });
const notWhole = (...incomplete: object[]) =>
  new ModelRtcError('invalid_model', 'not whole', { details: { incomplete } });

describe('why a found model is left out', () => {
  it.each([
    [
      'a file that cannot be read',
      new ModelRtcError('storage', 'x', { details: { path: '/m/a.pt' } }),
      'unreadable',
      '/m/a.pt',
    ],
    [
      'a link out of the folder',
      new ModelRtcError('refused', 'x', { details: { path: '/m/a.pt' } }),
      'outside',
      '/m/a.pt',
    ],
    [
      'no links',
      new ModelRtcError('storage', 'x', { details: { path: '/h/a', reason: 'no_links' } }),
      'no_links',
      '/m',
    ],
    ['a broken configuration', new ModelRtcError('bad_argument', 'x'), 'invalid', '/m'],
    ['files that are cut off', notWhole(flaw('cut_off', 'a'), flaw('damaged', 'b')), 'incomplete', '/m'],
    ['nothing but damaged files', notWhole(flaw('damaged', 'b')), 'damaged', '/m'],
  ])('is %s', (_what, error, kind, path) => {
    expect(leftOutBecause('/m', error)).toMatchObject({ kind, path });
  });

  it('lists a few of the files that are not whole', () => {
    const many = notWhole(...['a', 'b', 'c', 'd', 'e'].map((path) => flaw('cut_off', path)));
    expect(leftOutBecause('/m', many)?.reason).toBe(
      'it is not whole: a is cut_off; b is cut_off; c is cut_off; and 2 more',
    );
  });

  it('is no matter when it only has to be tried again', () => {
    expect(leftOutBecause('/m', new ModelRtcError('source_changed', 'x'))).toBeUndefined();
    expect(leftOutBecause('/m', new ModelRtcError('busy', 'x'))).toBeUndefined();
  });
});
