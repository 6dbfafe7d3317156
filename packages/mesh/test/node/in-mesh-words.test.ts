import { expect, it } from '@jest/globals';
import { ModelRtcError } from '@model-rtc/protocol';
import { inMeshWords } from '../../src/index.ts';

it('says of a session that nobody knows what it means in a mesh', () => {
  const unknown = new ModelRtcError('refused', 'x', { details: { keyId: 'abcd' } });
  expect(inMeshWords(unknown, 'The worker of mesh:anna')).toMatchObject({
    code: 'refused',
    message: expect.stringMatching(/^The worker of mesh:anna does not take this machine for a member/),
  });
});

it('leaves other errors as they are', () => {
  for (const error of [
    new ModelRtcError('refused', 'x'),
    new ModelRtcError('network', 'x', { details: { keyId: 'a' } }),
  ])
    expect(inMeshWords(error, 'The worker')).toBe(error);
});
