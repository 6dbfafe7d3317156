import { describe, expect, it } from '@jest/globals';
import { bridgePort } from '../../../src/commands/worker/http-bridge.ts';

describe('the port of the HTTP bridge', () => {
  it('comes from the option, else from the environment, else there is none', () => {
    expect(bridgePort({ httpPort: '14345' }, '1')).toBe(14_345);
    expect(bridgePort({}, '14345')).toBe(14_345);
    expect(bridgePort({ httpPort: '0' }, undefined)).toBe(0);
    expect(bridgePort({}, undefined)).toBeUndefined();
    expect(bridgePort({}, '')).toBeUndefined();
  });

  it('is refused when it is none, and asked for where it is missing', () => {
    expect(() => bridgePort({ httpPort: 'http' }, undefined)).toThrow('--http-port takes a number');
    expect(() => bridgePort({}, '70000')).toThrow('MODEL_BRIDGE_HTTP_PORT takes a number');
    expect(() => bridgePort({ httpHost: '0.0.0.0' }, undefined)).toThrow('need --http-port');
  });
});
