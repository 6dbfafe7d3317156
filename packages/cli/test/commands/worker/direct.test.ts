import { describe, expect, it } from '@jest/globals';
import { directOptions } from '../../../src/commands/worker/direct.ts';

const flags = { direct: true, advertise: [] };

describe('the port for direct connections', () => {
  it.each([
    ['0', 0],
    ['1', 1],
    ['65535', 65_535],
  ])('is read from %s', (directPort, port) => {
    expect(directOptions({ ...flags, directPort })).toMatchObject({ port });
  });

  it.each(['abc', '65536', '-1', '1.5', ''])('is not "%s", which is named as it was typed', (directPort) => {
    expect(() => directOptions({ ...flags, directPort })).toThrow(`not "${directPort}"`);
  });

  it('is never 0 in what clients are told', () => {
    expect(() => directOptions({ ...flags, advertise: ['gpu.lab.example:0'] })).toThrow('--advertise takes HOST:PORT');
  });
});
