import { expect, it } from '@jest/globals';
import { requireNames } from '../src/index.ts';

it('refuses on Windows alone what Windows would take for a stream or a drive', () => {
  const files = [{ path: 'config.json' }, { path: 'a:b.json' }];
  expect(() => requireNames(files, 'linux')).not.toThrow();
  expect(() => requireNames(files.slice(0, 1), 'win32')).not.toThrow();
  expect(() => requireNames(files, 'win32')).toThrow(
    expect.objectContaining({ code: 'refused', message: expect.stringMatching(/"a:b\.json" has ":" in it/) }),
  );
});
